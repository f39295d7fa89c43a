"""What the frame of a page says of its site: name, logo, links, and the header and footer of its theme."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.sites.models import Site
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from badges_plugin.host import SiteLook, site_look
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe
from badges_plugin.web.conf import PagesConfig, pages

logger = get_logger(__name__)


@dataclass(frozen=True)
class Frame:
    """What stands around a page. Empty texts and None: nothing is shown."""

    name: str
    logo_url: str
    favicon_url: str
    home_url: str
    help_url: str
    privacy_url: str
    support_email: str
    header: SafeString | None
    footer: SafeString | None
    look: SiteLook

    @property
    def pictures(self) -> tuple[str, ...]:
        return tuple(url for url in (self.logo_url, self.favicon_url) if url)


def site_of(request: HttpRequest) -> Site | None:
    """Return the site of a request; None where the host cannot tell."""
    site = getattr(request, "site", None)
    return site if isinstance(site, Site) else None


def frame_of(request: HttpRequest) -> Frame:
    """Return the frame of a page. One query. Never raises for what an operator left out."""
    site = site_of(request)
    look, config = site_look(site), _config()
    return Frame(
        name=look.platform_name or (site.name if site else ""),
        logo_url=look.logo_url,
        favicon_url=look.favicon_url,
        home_url=look.homepage_url,
        help_url=config.help_url if config else look.help_url,
        privacy_url=(config.privacy_url if config else "") or look.privacy_url,
        support_email=config.support_email if config else "",
        header=themed("_header.html", request, look),
        footer=themed("_footer.html", request, look),
        look=look,
    )


def themed(name: str, request: HttpRequest, look: SiteLook) -> SafeString | None:
    """Return the header or footer of the site's theme; None where the theme has none of its own.

    The host's own are not used: they have no style without the host's build, and a second main heading.
    """
    if not look.theme_name:
        return None
    try:
        template = get_template(f"{look.theme_name}/{name}")
    except TemplateDoesNotExist:
        return None
    context = {
        "site": site_of(request),
        "platform_name": look.platform_name,
        "site_logo_url": look.logo_url,
        "openedx_logo_url": str(getattr(settings, "LOGO_POWERED_BY_OPEN_EDX_URL", "") or ""),
        "user": getattr(request, "user", None),
    }
    try:
        return mark_safe(template.render(context))  # noqa: S308 - what a template has rendered is safe
    except Exception as error:  # noqa: BLE001 - themes are not ours; the page is shown without it
        logger.error("The theme's %s cannot be shown around pages of badges: %s", name, describe(error))
        return None


def asset(path: str) -> str:
    """Return the URL of a static file, also where none were collected: the page is there then, without style."""
    try:
        return static(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


def _config() -> PagesConfig | None:
    try:
        return pages()
    except ImproperlyConfigured:  # badges_web.E001
        return None
