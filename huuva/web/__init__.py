"""What a request of web passes on its way in, and an answer on its way out."""
