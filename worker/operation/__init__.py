"""Running unattended for years: service, monitoring, logs, backup and restore.

Promise: a restore replaces everything or nothing; a log contains no secret and no buyer; monitoring shows real
progress. Each file is one concern; the engine needs none of them.
"""
