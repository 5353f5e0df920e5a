"""The outer ear: spiders fetch, extractors parse, pipelines store."""
