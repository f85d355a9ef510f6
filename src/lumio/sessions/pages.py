"""The account switcher of every page: a plain form, so that it works without script."""

from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency

from lumio.access.perform import Perform
from lumio.sessions.service import Sessions
from lumio.surface.html.pages import Pages, Web, asker_of, require_session, see_other
from lumio.surface.http.forgery import FORM


class SwitchPages(Controller):
    """Switching between accounts."""

    @post("/api/switch-account", opt={FORM: True}, status_code=200)
    async def switch(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        sessions: NamedDependency[Sessions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Act in another account from now on, and start at its first page."""
        require_session(request)
        await perform(sessions.activate, asker_of(request), await pages.form(request))
        return see_other("/dashboard")
