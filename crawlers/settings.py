"""Scrapy's settings for all sources; what depends on the source or on `config/` is added by the spider."""

BOT_NAME = "vocwatch"
SPIDER_LOADER_CLASS = "crawlers.loader.SourceLoader"
SPIDER_MODULES = ["crawlers"]

# The browser and the robots and address guards need asyncio.
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"

# No listening ports: whoever can reach a console owns the process.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

# Scrapy's own robots middleware fails open on 5xx and network errors; RFC 9309 says the opposite.
ROBOTSTXT_OBEY = False
# Only what is named here runs, and only that is imported. Of Scrapy's own middlewares these three are of use; its
# proxy one would let the environment connect in our place, its cookies and credentials would know us again, its
# robots, redirects, retries and decompression are replaced. Status, depth and referrer are the spider's business,
# budget and statistics the run's (crawlers.context), and no console listens.
DOWNLOADER_MIDDLEWARES_BASE = {
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
EXTENSIONS_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "crawlers.audit.Audit": 5,
    "crawlers.guard.Guard": 10,
    "crawlers.robots.Robots": 100,
    "crawlers.guard.Retry": 550,
    "crawlers.compression.Decompress": 590,
    "crawlers.guard.Redirect": 600,
    "crawlers.conditional.Conditional": 650,
    "crawlers.credentials.Credentials": 700,
}
DOWNLOAD_HANDLERS = {
    "http": "crawlers.fetch.HttpHandler",
    "https": "crawlers.fetch.HttpHandler",
    # Nothing but the web is read, whatever a link says.
    "file": None, "ftp": None, "s3": None, "data": None,
}
# It reads and parses the source code of the callback for every response.
WARN_ON_GENERATOR_RETURN_VALUE = False
ITEM_PIPELINES = {"crawlers.pipeline.StorePages": 100}

# One item per page, written inline: Scrapy's 100 item tasks for each response cost a quarter of the CPU.
CONCURRENT_ITEMS = 1

# Off by default in Scrapy: a forged certificate would be read as the site.
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_TLS_MIN_VERSION = "TLSv1.2"
# Every connection of the process goes to addresses that were checked, and to no other.
TWISTED_DNS_RESOLVER = "crawlers.resolver.CheckedResolver"

# Warnings about size are noise: the cap ends the page, and health counts it.
DOWNLOAD_WARNSIZE = 0
# The delay is a promise ("at least"), so nothing may shorten it.
DOWNLOAD_DELAY_JITTER = 0.0

# No identity is carried from page to page or from site to site.
COOKIES_ENABLED = False
REFERRER_POLICY = "no-referrer"
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
}

REDIRECT_MAX_TIMES = 5
RETRY_TIMES = 2
# 429 is an answer, not an accident: it ends the run (crawlers.guard.Retry).
RETRY_HTTP_CODES = [500, 502, 503, 504, 522, 524, 408]
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"

# The spider judges every status itself.
HTTPERROR_ALLOW_ALL = True
# Newest first, in the order in which the site lists them.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
# Our own table remembers what is done: a job folder came back from kill -9 with 80 of 200 pages and "finished".
JOBDIR = None

LOG_LEVEL = "ERROR"
STATS_DUMP = False
LOGSTATS_INTERVAL = 0
MEMUSAGE_ENABLED = False
