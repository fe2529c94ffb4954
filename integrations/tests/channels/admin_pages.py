"""Addresses of the admin's pages of channels, and somebody who may see some of them."""

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse


def url(name: str, *args) -> str:
    return reverse(f"admin:integrations_{name}", args=args)


def somebody(*permissions: str) -> Client:
    user = User.objects.create_user("ben", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client
