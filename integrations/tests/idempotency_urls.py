"""A small API for the tests of Idempotency-Key: it writes rows and then answers, refuses or breaks, as told."""

import contextlib
import threading
from typing import Any
from uuid import uuid4

from django.db import OperationalError, connection, transaction
from django.http import Http404
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.idempotency import idempotent
from core.problems import Problem
from orders.models import Brand

# Set by a test that needs a request to stay inside its work.
inside = threading.Event()
go_on = threading.Event()


class Brands(APIView):
    required_scopes = {"post": "orders:write", "patch": "orders:write"}

    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        data = request.data
        with transaction.atomic():
            brand = Brand.objects.create(id=uuid4().hex, name=data["name"])
        match data.get("then"):
            case "refuse":
                raise Problem("impossible", "No.", status=409)
            case "refuse, cut off":
                with contextlib.suppress(OperationalError), connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                raise Problem("impossible", "No.", status=409)
            case "missing":
                raise Http404
            case "later":
                raise Problem("busy", "Later.", status=409, headers={"Retry-After": "1"})
            case "away":
                raise Problem("away", "Away.", status=503)
            case "answer away":
                return Response({"status": "away"}, status=503)
            case "wait":
                inside.set()
                assert go_on.wait(10)
        return Response(
            {"id": brand.id, "name": brand.name},
            status=201,
            headers={"Location": f"/brands/{brand.id}", "X-Once": "1"},
        )

    patch = post


urlpatterns = [
    path("brands", Brands.as_view()),
    path("brands/", Brands.as_view()),
    path("other", Brands.as_view()),
]
