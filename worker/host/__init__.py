"""Many sellers on several machines: PostgreSQL stores everything, Procrastinate runs the jobs.

Promise: every seller is a tenant and sees no data of other tenants; any worker or web process may die at any moment,
and the others take over its work. Start reading at ``tenants.py``; ``looks.py`` schedules the looks (polls) at
mailboxes, ``work.py`` has the jobs.
"""
