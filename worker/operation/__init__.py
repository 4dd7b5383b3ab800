"""Running unattended for years: as a service, watched, logged, backed up.

Promise: a restore replaces all or nothing, a log holds no secret and no buyer, and what watches the program
sees its real progress. Each file is one concern; nothing in the engine needs them.
"""
