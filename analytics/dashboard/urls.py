"""Addresses of the dashboard, below the admin's."""

from django.contrib import admin
from django.urls import path

from analytics.dashboard import views

urlpatterns = [
    path("", admin.site.admin_view(views.dashboard), name="analytics-dashboard"),
    path("<slug:panel>.csv", admin.site.admin_view(views.panel_csv), name="analytics-panel-csv"),
]
