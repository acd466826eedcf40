"""The tables. Times are UTC seconds since 1970 (float): the same number in every database.

Labels are never overwritten in silence: `product.class_id` is the label now, with a `version` that
every change raises, and `annotation` holds each act that led there, for ever.
"""

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, MetaData, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# named, so that migrations can name them, too
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

ROLES = ("viewer", "annotator", "lead", "admin")
ANNOTATION_KINDS = ("label", "accept", "skip", "flag", "unflag", "merge", "undo", "import")
ACT_KINDS = ("single", "bulk", "import", "class", "undo")
SINGLE_JOBS = ("retrain", "predict")  # kinds of which one is active at a time
JOB_STATES = ("queued", "running", "succeeded", "failed", "cancelled")
STAGES = ("candidate", "production", "archived")
STAGE_ACTS = ("register", "activate", "rollback")
PERSON_ACTS = ("add", "role", "deactivate", "reactivate")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {dict: JSON, list: JSON}


class Annotator(Base):
    """A person who labels, leads or looks on."""

    __tablename__ = "annotator"
    __table_args__ = (CheckConstraint(_one_of("role", ROLES), name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(default="annotator")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[float]


class RoleChange(Base):
    """Who let whom in, or out, and in which role; never changed, never deleted."""

    __tablename__ = "role_change"
    __table_args__ = (CheckConstraint(_one_of("act", PERSON_ACTS), name="act"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"), index=True)
    act: Mapped[str]
    role_before: Mapped[str]  # "" when the person is added
    role: Mapped[str]
    by_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    created_at: Mapped[float]


class ProductClass(Base):
    """One of the K categories."""

    __tablename__ = "product_class"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name_fr: Mapped[str]
    name_en: Mapped[str]
    guideline: Mapped[str] = mapped_column(default="")
    position: Mapped[int]  # place on the Label screen; fixed, whatever the product
    is_archived: Mapped[bool] = mapped_column(default=False)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))


class Product(Base):
    """One listing, with its label now."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("split IN ('train', 'val', 'test')", name="split"),
        Index(None, "class_id", "id"),
        Index(None, "random_rank"),
        # all that lists are narrowed by and ordered by, without the texts: a filter that few
        # products pass reads this and nothing else
        Index(
            "ix_product_filter",
            *("removed_at", "id", "class_id", "split", "is_flagged", "photo", "random_rank"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(unique=True)  # the shop's own
    title: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    search_text: Mapped[str] = mapped_column(default="")  # see `search.py`; written by imports
    photo: Mapped[str] = mapped_column(default="")  # content key, "" without a photo
    photo_hash: Mapped[str] = mapped_column(default="")
    group_id: Mapped[str] = mapped_column(index=True)
    split: Mapped[str]
    # by a file: only a file moves it
    is_split_given: Mapped[bool] = mapped_column(default=False, server_default=false())
    extra: Mapped[dict] = mapped_column(default=dict)
    class_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))
    version: Mapped[int] = mapped_column(default=0)  # raised by every annotation that changes it
    is_flagged: Mapped[bool] = mapped_column(default=False)
    random_rank: Mapped[float]  # 0 to 1, drawn once: a random order that pages can walk
    created_at: Mapped[float]
    # not in the catalogue since (an import replaced it); the row stays, for its annotations do
    removed_at: Mapped[float | None]


class Act(Base):
    """What one person did with one decision: one product or ten thousand; undone as a whole."""

    __tablename__ = "act"
    __table_args__ = (
        CheckConstraint(_one_of("kind", ACT_KINDS), name="kind"),
        Index(None, "annotator_id", "id"),
        # few among many: the history of the classes
        Index(
            "ix_act_class",
            "id",
            sqlite_where=text("kind = 'class'"),
            postgresql_where=text("kind = 'class'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    token: Mapped[str] = mapped_column(unique=True)  # a resend can't act twice
    # what was asked and came of it; of class acts also what is needed to undo
    details: Mapped[dict] = mapped_column(default=dict)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"), unique=True)
    # an undo of it is in force; false again once that undo was undone (a redo)
    is_undone: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[float]


class Annotation(Base):
    """One person's mark on one product; never changed, never deleted."""

    __tablename__ = "annotation"
    __table_args__ = (
        CheckConstraint(_one_of("kind", ANNOTATION_KINDS), name="kind"),
        Index(None, "product_id", "id"),
        Index(None, "annotator_id", "created_at"),
        Index(None, "annotator_id", "product_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    kind: Mapped[str]
    class_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))  # after
    class_before_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))
    was_flagged: Mapped[bool] = mapped_column(default=False)
    is_flagged: Mapped[bool] = mapped_column(default=False)  # after
    version: Mapped[int]  # of the product, after
    # the version whose decision is in force after this one: its own where None; an undo goes back
    # to an older one, so that the decision before can be undone next
    stands: Mapped[int | None]
    seconds: Mapped[float | None]  # spent looking
    # what was shown: {"class": code, "probability": p, "hidden": bool}; {} without a suggestion.
    # "suspicion": how suspect the queue held the label that was decided on, where it knew
    suggestion: Mapped[dict] = mapped_column(default=dict)
    model_version_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    comment: Mapped[str] = mapped_column(default="")  # of a flag; the reason of a skip
    created_at: Mapped[float]


class Lease(Base):
    """A product that somebody has open; never two people at once."""

    __tablename__ = "lease"
    __table_args__ = (Index(None, "annotator_id", "taken_at"),)

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    token: Mapped[str]  # of the annotation that may come of it: one showing, one decision
    taken_at: Mapped[float]
    expires_at: Mapped[float]


class QueueEntry(Base):
    """A product that waits for a person; gone once decided, back when that is undone.

    "Next" walks one of the indexes from its end: every order has its own, twice, for the whole
    queue and for the products of one label. Scores are those of the production model, -1 where it
    has said nothing yet.
    """

    __tablename__ = "queue_entry"
    __table_args__ = (
        *(
            Index(f"ix_queue_entry_{name}", "audience", name, "product_id")
            for name in ("disagreement", "uncertainty", "entropy", "random_rank", "created_at")
        ),
        *(
            Index(f"ix_queue_entry_class_{name}", "audience", "class_key", name, "product_id")
            for name in ("disagreement", "uncertainty", "entropy", "random_rank", "created_at")
        ),
        *(
            Index(
                f"ix_queue_entry_{'_'.join((*by, 'suspicion'))}",
                *("audience", *(f"{part}_key" for part in by), "suspicion", "product_id"),
                sqlite_where=text("suspicion > 0"),
                postgresql_where=text("suspicion > 0"),
            )
            for by in ((), ("class",))
        ),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True)
    # who may get it: see store/queue.py
    audience: Mapped[int]
    class_key: Mapped[int]  # id of the label it had before people decided, 0 without
    # who gave the first of two opinions; their decision is the product's label meanwhile
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("annotator.id"))
    disagreement: Mapped[float]
    uncertainty: Mapped[float]  # 1 - margin
    entropy: Mapped[float]
    suspicion: Mapped[float]
    random_rank: Mapped[float]
    created_at: Mapped[float]  # of the product


class QueueTally(Base):
    """How many products wait, kept in parts so that people don't wait for each other to count.

    Row 0 has what the catalogue put in, an annotator's row what they took out (below 0) or gave
    back by an undo; the sum waits.
    """

    __tablename__ = "queue_tally"

    annotator_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    waiting: Mapped[int]
    unlabelled: Mapped[int]  # of these


class ModelVersion(Base):
    """A trained model and its stage."""

    __tablename__ = "model_version"
    __table_args__ = (
        CheckConstraint(_one_of("stage", STAGES), name="stage"),
        # at most one model answers
        Index(
            "uq_model_version_production",
            "stage",
            unique=True,
            sqlite_where=text("stage = 'production'"),
            postgresql_where=text("stage = 'production'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # of its folder
    stage: Mapped[str] = mapped_column(default="candidate")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    snapshot: Mapped[str]  # hash of the labels it was trained on
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    scores: Mapped[dict] = mapped_column(default=dict)
    verdict: Mapped[dict] = mapped_column(default=dict)  # of the quality gate
    is_pruned: Mapped[bool] = mapped_column(default=False)  # its folder was deleted
    created_at: Mapped[float]


class StageChange(Base):
    """Who moved a model to another stage, and when."""

    __tablename__ = "stage_change"
    __table_args__ = (CheckConstraint(_one_of("act", STAGE_ACTS), name="act"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), index=True)
    act: Mapped[str]  # tells a rollback from an activation: the way back is read from these rows
    stage_before: Mapped[str]  # "" when it is registered
    stage: Mapped[str]
    annotator_id: Mapped[int | None] = mapped_column(ForeignKey("annotator.id"))
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[float]


class Prediction(Base):
    """What one model version says about one product; a new version never hides an old row."""

    __tablename__ = "prediction"
    __table_args__ = (
        Index(None, "model_version_id", "disagreement", "product_id"),
        Index(None, "model_version_id", "margin", "product_id"),
        Index(None, "model_version_id", "entropy", "product_id"),
        Index(None, "model_version_id", "suspicion", "product_id"),
        Index(None, "model_version_id", "fused_class_id", "product_id"),
    )

    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True)
    fused_class_id: Mapped[int] = mapped_column(ForeignKey("product_class.id"))
    fused_probability: Mapped[float]
    text_class_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))
    text_probability: Mapped[float | None]
    image_class_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))
    image_probability: Mapped[float | None]
    margin: Mapped[float]  # first minus second fused probability; small: uncertain
    entropy: Mapped[float]  # of the fused answer, 0 to 1 (nats over log K)
    disagreement: Mapped[float]  # between text and image, 0 to 1
    # how confidently models that haven't seen the label oppose it, 0 to 1: see suspicions.py
    suspicion: Mapped[float]
    # the label that suspicion is about, None before a check; where the product has another one now,
    # nobody has been asked about that
    label_class_id: Mapped[int | None] = mapped_column(ForeignKey("product_class.id"))
    top: Mapped[dict] = mapped_column(default=dict)  # view -> [[class id, probability], ...]


class Job(Base):
    """One piece of work for a worker; the row is the truth about it."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(_one_of("state", JOB_STATES), name="state"),
        Index(None, "state", "id"),
        # one active retrain, however many people press the button, and one that predicts
        *(
            Index(
                f"uq_job_active_{kind}",
                "kind",
                unique=True,
                sqlite_where=text(f"kind = '{kind}' AND state IN ('queued', 'running')"),
                postgresql_where=text(f"kind = '{kind}' AND state IN ('queued', 'running')"),
            )
            for kind in SINGLE_JOBS
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    choices: Mapped[dict] = mapped_column(default=dict)
    progress: Mapped[dict] = mapped_column(default=dict)
    result: Mapped[dict] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(default="")
    attempt: Mapped[int] = mapped_column(default=0)  # raised by each claim: the fencing token
    num_lost: Mapped[int] = mapped_column(default=0)  # attempts whose worker fell silent
    worker: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[float | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    annotator_id: Mapped[int | None] = mapped_column(ForeignKey("annotator.id"))
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    ended_at: Mapped[float | None]


class WorkerLease(Base):
    """A worker that has shown itself lately; without a live row here somebody starts one."""

    __tablename__ = "worker_lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]  # to be read by people; a dead process's number may be somebody else's
    started_at: Mapped[float]
    expires_at: Mapped[float]


class Setting(Base):
    """One choice that belongs to the workspace: queue mix, overlap, gate limits."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict]
