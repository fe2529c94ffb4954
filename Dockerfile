# One image for web, live, worker, beat and migrations; docker-compose.yml says which part a container is.
FROM python:3.13.15-slim-bookworm AS build
COPY requirements.txt /tmp/
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.txt

FROM python:3.13.15-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin huuva
COPY --from=build /srv/venv /srv/venv
COPY . /srv/huuva
WORKDIR /srv/huuva
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=huuva.settings \
    HUUVA_HOME=/var/lib/huuva \
    HUUVA_HOST=0.0.0.0 \
    HUUVA_STATIC_FROM_SOURCE=false
# The key is for this one command: without it a secret would be made, and stay in the image.
RUN mkdir -p /var/lib/huuva/run /var/lib/huuva/backups \
    && HUUVA_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" python manage.py collectstatic --noinput --verbosity 0 \
    && chown -R huuva:huuva /var/lib/huuva
USER 10001:10001
EXPOSE 8000 8001
CMD ["python", "-m", "huuva.ops.processes", "web"]
