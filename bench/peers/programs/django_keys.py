"""djangorestframework-api-key behind the smallest Django there can be: one view that wants a key.

`python django_keys.py KEYS` makes the database in the folder `PEER_FOLDER` and writes the keys into `keys` there;
`django_keys:application` is what a WSGI server serves. Best configuration: not in debug mode, no middleware, the
connection to the database kept open, SQLite in WAL mode without waiting for the disk, JSON only, no throttling.
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

FOLDER = Path(os.environ["PEER_FOLDER"])

settings.configure(
    DEBUG=False,
    SECRET_KEY="of a server that lives for seconds only",  # noqa: S106 - as it says
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework", "rest_framework_api_key"],
    MIDDLEWARE=[],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "django.db",
            "CONN_MAX_AGE": None,
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_THROTTLE_CLASSES": [],
    },
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()

from rest_framework.authentication import BaseAuthentication  # noqa: E402 - only after set-up
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402
from rest_framework_api_key.permissions import HasAPIKey  # noqa: E402


class Challenge(BaseAuthentication):
    """Authenticates nobody; with it a request without a good key is answered 401 and not 403."""

    def authenticate(self, request):  # noqa: ANN001, ANN201, ARG002 - as the framework has it
        """Leave it to the permission."""
        return

    def authenticate_header(self, request):  # noqa: ANN001, ANN201, ARG002 - as above
        """Name the scheme."""
        return "Api-Key"


class Verify(APIView):
    """Says that the key is good."""

    authentication_classes = (Challenge,)
    permission_classes = (HasAPIKey,)

    def get(self, request):  # noqa: ANN001, ANN201, ARG002 - as above
        """Answer 200."""
        return Response({"valid": True}, headers={"Content-Length": "14"})


urlpatterns = [path("verify", Verify.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    made = [APIKey.objects.create_key(name=f"bench-{number}")[1] for number in range(int(sys.argv[1]))]
    (FOLDER / "keys").write_text("\n".join(made))
