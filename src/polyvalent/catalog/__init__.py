"""Know what elements are, and turn folders of data into a catalog of them."""
