"""How a browser is started for reading: closed to everything but its proxy, without what reading does not need."""

from __future__ import annotations

import os

from crawlers.browser_cdp import LAUNCH_SECONDS, BrowserGone, CdpError, Chromium
from vocwatch.browser import NoBrowser, candidates, not_found
from vocwatch.settings.env import Environment

WIDTH, HEIGHT = 1280, 900

# Everything goes through the proxy that belongs to a tab; what belongs to none meets a closed door.
_CLOSED = (
    "--proxy-bypass-list=<-loopback>",  # without it, Chromium speaks to loopback directly
    # The same under the name it has in Chrome and in the headless shell: no datagram goes past the proxy.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic", "--dns-prefetch-disable",
    "--disable-background-networking", "--disable-component-update", "--disable-domain-reliability", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-client-side-phishing-detection", "--no-pings",
    "--safebrowsing-disable-auto-update", "--disable-component-extensions-with-background-pages",
    "--disable-breakpad", "--disable-crash-reporter", "--metrics-recording-only", "--no-service-autorun",
)
_PLAIN = (
    "--headless", "--no-first-run", "--no-default-browser-check", "--disable-search-engine-choice-screen",
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB, and pages crash there
    "--password-store=basic", "--use-mock-keychain", "--hide-scrollbars", "--mute-audio", "--disable-infobars",
    "--disable-hang-monitor", "--disable-prompt-on-repost", "--disable-back-forward-cache", "--disable-notifications",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding", "--disable-gpu", "--force-color-profile=srgb", "--lang=zh-CN",
    "--accept-lang=zh-CN,zh", "--js-flags=--max-old-space-size=768",
)
# One process for each tab, kept from page to page: there is nobody's login in it that sites could steal from each
# other, and a new process for each page costs more than the page.
_ONE_PROCESS = ("--disable-site-isolation-trials", "--renderer-process-limit=4")
_FEATURES_OFF = (
    "IsolateOrigins", "site-per-process", "IsolateSandboxedIframes", "RenderDocument", "PaintHolding",
    "SpareRendererForSitePerProcess", "BackForwardCache", "Prerender2", "Translate", "OptimizationHints",
    "OptimizationGuideModelDownloading", "MediaRouter", "DialMediaRouteProvider", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "InterestFeedContentSuggestions", "CertificateTransparencyComponentUpdater",
    "NetworkTimeServiceQuerying", "PreconnectToSearch", "AimEnabled", "PrivacySandboxSettings4",
)
_NO_PICTURES = ("--blink-settings=imagesEnabled=false,forcePreloadNoneForMediaElements=true", "--disable-remote-fonts")


def arguments(pictures: bool, closed_port: int) -> list[str]:
    """Return Chromium's arguments; `closed_port` is the proxy of all that belongs to no tab."""
    given = [
        *_PLAIN, *_CLOSED, *_ONE_PROCESS, f"--disable-features={','.join(_FEATURES_OFF)}",
        f"--proxy-server=http://127.0.0.1:{closed_port}",
    ]
    if not pictures:
        given += _NO_PICTURES
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        given.append("--no-sandbox")  # Chromium refuses to start as root otherwise
    return given


async def launch(env: Environment, zone: str, pictures: bool, closed_port: int) -> Chromium:
    """Start the first browser that can be started. Raises NoBrowser."""
    tried = []
    for path in candidates(env):
        try:
            return await Chromium.launch(path, arguments(pictures, closed_port), {**env.variables, "TZ": zone})
        except TimeoutError:
            tried.append(f"{path}：启动后 {LAUNCH_SECONDS:.0f} 秒没有应答")
        except (BrowserGone, CdpError, OSError) as error:
            tried.append(f"{path}：启动不了（{error}）")
    raise NoBrowser(not_found(tried))
