"""The settings of the site; its files lie in the folder that PEER_FOLDER names."""

import os
from pathlib import Path

_FOLDER = Path(os.environ["PEER_FOLDER"])

SECRET_KEY = "loopback only"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "django_peer.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    *(f"django.contrib.{name}" for name in ("contenttypes", "auth", "sessions", "messages", "admin")),
    "django_object_actions",
    "django_ca",
]
# Its own checks want these for the administration pages; the OCSP view passes through them as in any installation.
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
_CONTEXT = "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request", *_CONTEXT]},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": _FOLDER / "django.db"}}
_FILES = "django.core.files.storage.FileSystemStorage"
STORAGES = {
    **{name: {"BACKEND": _FILES} for name in ("default", "staticfiles")},
    "django-ca": {"BACKEND": _FILES, "OPTIONS": {"location": str(_FOLDER / "keys")}},
}
CA_DEFAULT_HOSTNAME = "127.0.0.1"
CA_USE_CELERY = False
