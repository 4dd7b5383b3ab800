"""Windows without a Windows machine: its Python and wheels from the package index, and Wine to run them in.

``pieces`` fetches, ``wine`` runs, ``tests`` is what ``scripts/windows_tests.py`` does and ``build`` what
``scripts/windows_build.py`` does. Everything is under ``build/windows``, which may be deleted at any time.
"""
