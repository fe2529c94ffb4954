"""The managers' dashboard in admin: what is late now, when the rush is, where time goes, and whether to believe it.

`question` reads what is asked, `access` says who may ask, `reads` asks the rollups and `now` the open orders, `figures`
turns rows into local days, `panels` into charts and tables; `views` are the pages and their CSV.
"""
