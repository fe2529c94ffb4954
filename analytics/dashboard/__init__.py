"""The managers' dashboard in admin: what is late now, when the rush is, where time goes, and whether to believe it.

`question` reads what is asked, `access` says who may ask, `setting` and `stations` what there is to ask about; `reads`
asks the rollups and `now` the open orders, `figures` turns rows into local `days`. `orders`, `work` and `trust` make
panels of them (`panel`: chart, table and CSV at once, in `words` of people), `page` puts all together; `views` are the
pages and their CSV.
"""
