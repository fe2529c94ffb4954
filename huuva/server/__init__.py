"""The web part's server: granian receives requests and sends answers, Django answers them in a few threads.

Between the two stands a gate (ADR 20). granian's own WSGI mode gives each request a thread at its first byte, and a
client that stalls in its body keeps that thread. Here a request meets a thread when all of it has arrived:

- `gate` receives bodies, within limits of size and time, beside the threads;
- `pool` holds what has arrived until a thread is free, and answers 503 where that takes too long;
- `bridge` turns a request into a WSGI environment, and what Django returns into an answer;
- `watchdog` ends what is overdue, and lets nothing wait for a database that hangs;
- `workers` is granian's part: processes, a socket that they share, a reload that refuses nobody.
"""
