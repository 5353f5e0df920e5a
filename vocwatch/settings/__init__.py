"""One typed settings object from `config/` and the environment."""

from vocwatch.settings.app import App, Shop
from vocwatch.settings.delivery import Channel
from vocwatch.settings.env import Environment, Smtp, checkout_root, read_environment
from vocwatch.settings.loader import Settings, load_settings
from vocwatch.settings.refusals import Refusals
from vocwatch.settings.session_maps import SessionMap
from vocwatch.settings.sources import Source
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watch, Watches
from vocwatch.settings.yamlfile import ConfigError

__all__ = [
    "App", "Channel", "ConfigError", "Environment", "Refusals", "SessionMap", "Settings", "Shop", "Smtp", "Source", "Topics",
    "Watch", "Watches", "checkout_root", "load_settings", "read_environment",
]
