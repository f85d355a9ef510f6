"""Extensions: the list, and one extension with its versions."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from lumio.access.perform import Perform
from lumio.access.policy import roles_with
from lumio.extensions.service import Extensions
from lumio.extensions.versions import Versions
from lumio.surface.html.pages import Pages, Web, asker_of, require_session

ADDRESS = "/dashboard/extensions"
ROLES_THAT_PUBLISH = " or ".join(role.capitalize() for role in roles_with("extensions:publish"))


class ExtensionPages(Controller):
    """What an account builds and ships."""

    @get(ADDRESS)
    async def list_page(
        self,
        request: Web,
        pages: NamedDependency[Pages],
        extensions: NamedDependency[Extensions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show every extension of the account."""
        require_session(request)
        asker = asker_of(request)
        found = await perform(extensions.list, asker)
        rights = await perform.rights(asker.principal)
        return await pages.show(
            request,
            "extensions/list.html",
            "Extensions",
            extensions=found.extensions,
            may_create="extensions:deploy" in rights,
        )

    @get(f"{ADDRESS}/{{extension_id:str}}")
    async def detail_page(
        self,
        request: Web,
        extension_id: FromPath[str],
        pages: NamedDependency[Pages],
        extensions: NamedDependency[Extensions],
        versions: NamedDependency[Versions],
        perform: NamedDependency[Perform],
    ) -> Response[Any]:
        """Show one extension and its versions, the newest first."""
        require_session(request)
        asker, choice = asker_of(request), {"extension_id": extension_id}
        extension = await perform(extensions.show, asker, choice)
        found = await perform(versions.list, asker, choice)
        rights = await perform.rights(asker.principal)
        return await pages.show(
            request,
            "extensions/detail.html",
            extension.name,
            "Extensions",
            extension=extension,
            versions=found.versions,
            may_publish="extensions:publish" in rights,
            may_publish_reason=f"Your role cannot publish: {ROLES_THAT_PUBLISH} can.",
        )
