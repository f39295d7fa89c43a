"""What the frame of a page says of its site: name, logo, links, and the header and footer of its theme."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from badges_plugin.host import SiteFacts, site_facts
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe
from badges_plugin.web.conf import usable_pages
from badges_plugin.web.shared import site_of

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
    look: SiteFacts

    @property
    def pictures(self) -> tuple[str, ...]:
        return tuple(url for url in (self.logo_url, self.favicon_url) if url)


def frame_of(request: HttpRequest) -> Frame:
    """Return the frame of a page. One query. Never raises for what an operator left out."""
    site = site_of(request)
    look, config = site_facts(site), usable_pages()
    return Frame(
        name=look.platform_name or (site.name if site else ""),
        logo_url=look.logo_url,
        favicon_url=look.favicon_url,
        home_url=look.homepage_url,
        help_url=config.help_url or look.help_url,
        privacy_url=config.privacy_url or look.privacy_url,
        support_email=config.support_email,
        header=themed("_header.html", request, look),
        footer=themed("_footer.html", request, look),
        look=look,
    )


def themed(name: str, request: HttpRequest, look: SiteFacts) -> SafeString | None:
    """Return the header or footer of the site's theme; None where the theme has none of its own.

    The host's own are not used: they have no style without the host's build, and a second main heading.
    """
    if not look.theme_name:
        return None
    context = {
        "site": site_of(request),
        "platform_name": look.platform_name,
        "site_logo_url": look.logo_url,
        "openedx_logo_url": str(getattr(settings, "LOGO_POWERED_BY_OPEN_EDX_URL", "") or ""),
        "user": getattr(request, "user", None),
    }
    try:
        return mark_safe(get_template(f"{look.theme_name}/{name}").render(context))  # noqa: S308 - it was rendered
    except TemplateDoesNotExist:
        return None
    except Exception as error:  # noqa: BLE001 - themes are not ours; the page is shown without it
        logger.error("The theme's %s cannot be shown around pages of badges: %s", name, describe(error))
        return None


def asset(path: str) -> str:
    """Return the URL of a static file, also where none were collected: the page is there then, without style."""
    try:
        return static(path)
    except (ValueError, ImproperlyConfigured):
        return f"{settings.STATIC_URL}{path}"
