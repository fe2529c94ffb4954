"""The managers' dashboard in admin: what is late now, when the rush is, where time goes, and whether the figures hold.

`filters` parses the query, `context` says what a user may see; `reads` queries the rollups and `now` the open orders,
`figures` turns rows into local `days`. `orders`, `work` and `trust` build the panels (`panel`: chart, table and CSV in
one, with texts from `formatting`), `page` puts them together; `views` are the pages and their CSV.
"""
