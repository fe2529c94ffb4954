"""The web server: granian receives requests and sends answers, Django answers them in a few threads.

Between them is a gate (ADR 20). granian's own WSGI mode gives each request a thread at its first byte, and a client
that stalls in its body occupies that thread. Here a request gets a thread when all of it has arrived:

- `gate` receives bodies, within limits of size and time, outside the threads;
- `pool` queues complete requests until a thread is free, and answers 503 if that takes too long;
- `bridge` turns a request into a WSGI environment, and Django's response into an answer;
- `watchdog` ends what is overdue, and requests that wait for a database that hangs;
- `workers` runs granian's processes: a shared socket, and a reload that refuses no request.
"""
