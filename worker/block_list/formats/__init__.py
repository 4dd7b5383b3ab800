"""Files of other tools: a table of export formats (``exports.py``), imports of any list of keys (``imports.py``)."""
