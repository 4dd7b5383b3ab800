"""Files that other tools read and write: one row a format in ``exports.py``, any list of keys in ``imports.py``."""
