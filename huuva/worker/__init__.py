"""What a worker has beside Celery: processes that it keeps running, and a watch that ends it when it stands still."""
