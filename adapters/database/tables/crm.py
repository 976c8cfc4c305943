"""What people do about customers: tasks, deals, notes, companies, and what staff and the CRM are told."""

from sqlalchemy import Boolean, Column, Index, Integer, Numeric, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.database.tables.base import EMPTY, INSTANT, customer_column, enrollment_column, metadata

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    customer_column(),
    enrollment_column(nullable=True),
    Column("name", Text, nullable=False),
    Column("cause", Text, nullable=False, server_default=text("'journey'"), comment="journey, reply or staff"),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1"), comment="How many replies it is to answer"),
    Column("owner", Text, comment="Whose it is, by their e-mail address; none: anybody's"),
    Column(
        "settles",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Done, it settles the low score that it was made for",
    ),
    Column("escalate_to", Text, comment="Whose it becomes when it is overdue; none: the installation's head"),
    Column("created_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("escalated_at", INSTANT),
    Column("closed_at", INSTANT),
    Column("closed_by", Text),
    Column("outcome", Text),
    Column("note", Text),
)
Index("tasks_customer_idx", tasks.c.customer)
Index("tasks_enrollment_idx", tasks.c.enrollment)
Index("tasks_open_idx", tasks.c.due_at, tasks.c.id, postgresql_where=text("closed_at IS NULL"))
Index("tasks_owner_idx", tasks.c.owner, tasks.c.due_at, tasks.c.id, postgresql_where=text("closed_at IS NULL"))
Index("tasks_due_idx", tasks.c.due_at, tasks.c.id)
LATE = text("closed_at IS NULL AND escalated_at IS NULL")
Index("tasks_to_escalate_idx", tasks.c.due_at, postgresql_where=LATE)

companies = Table(
    "companies",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'com_' || replace(uuidv7()::text, '-', '')")),
    Column("company_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, comment="The colleague who looks after it, by their e-mail address"),
    Column("attributes", JSONB, nullable=False, server_default=EMPTY),
    Column("created_at", INSTANT, nullable=False),
)

deals = Table(
    "deals",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'dea_' || replace(uuidv7()::text, '-', '')")),
    Column("deal_id", Text, nullable=False, unique=True),
    customer_column(),
    Column("pipeline", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("amount", Numeric(14, 2)),
    Column("currency", Text),
    Column("owner", Text),
    Column("closes_at", INSTANT),
    Column("status", Text, nullable=False),
    Column("lost_reason", Text),
    Column("opened_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT, comment="When it was won or lost"),
)
Index("deals_customer_idx", deals.c.customer, deals.c.id)

notes = Table(
    "notes",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    customer_column(),
    Column("author", Text, nullable=False, comment="The API key"),
    Column("author_name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
)
Index("notes_customer_idx", notes.c.customer, notes.c.id)

notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    customer_column(),
    enrollment_column(nullable=True),
    Column("name", Text, nullable=False),
    Column("recipient", Text, comment="A colleague's e-mail address; none: nobody was named"),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("done_at", INSTANT),
    Column("result", Text, comment="Of the last attempt to mail it"),
    comment="What staff were told. `at` is business time; mailing is machinery, in real time.",
)
Index("notices_customer_idx", notices.c.customer)
Index("notices_due_idx", notices.c.due_at, postgresql_where=text("done_at IS NULL"))

crm_updates = Table(
    "crm_updates",
    metadata,
    Column("id", Uuid, primary_key=True),
    customer_column(),
    enrollment_column(),
    Column("facts", JSONB, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("done_at", INSTANT),
    Column("result", Text, comment="Of the last attempt to tell the CRM"),
    comment="What journeys told the CRM. `at` is business time; telling is machinery, in real time.",
)
Index("crm_updates_customer_idx", crm_updates.c.customer, crm_updates.c.at, crm_updates.c.id)
Index("crm_updates_due_idx", crm_updates.c.due_at, postgresql_where=text("done_at IS NULL"))
