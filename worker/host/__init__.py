"""Many sellers on several machines: PostgreSQL keeps everything, Procrastinate runs the jobs.

Promise: every seller is a tenant, and sees nothing of another's; any worker and any web process may die at any moment,
and the others go on with what it had started. Start reading at ``tenants.py``; ``looks.py`` is when which mailbox is
looked at, ``jobs.py`` what is done then.
"""
