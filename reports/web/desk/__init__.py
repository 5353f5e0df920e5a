"""The analysts' desk: one module for each page, one frame around all of them."""
