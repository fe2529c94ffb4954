"""The API of integrators' own things: their webhooks."""
