"""One frozen settings object, read once from the environment (prefix RUSHLIGHT_)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from delivery.watching import read_pace


class SettingsError(Exception):
    """A setting is wrong. The text names the variable and what to do."""


class Settings(BaseSettings):
    """All settings with safe defaults. Each is the variable RUSHLIGHT_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="RUSHLIGHT_", frozen=True, extra="ignore")

    home: Path = Field(
        Path("var"), description="Folder for the database, keys, blobs and mails of the embedded default."
    )
    database_url: str = Field(
        "", repr=False, description="SQLAlchemy URL of the database; empty: SQLite in the home folder."
    )
    secrets_url: str = Field(
        "",
        repr=False,
        description="SQLAlchemy URL of the database that holds the readers' secrets, another than the main one; empty: a file in the home folder.",
    )
    database_connect_seconds: int = Field(
        5,
        ge=2,
        le=60,
        description="How long PostgreSQL may take to accept a connection, or to say that an old one lives, in seconds.",
    )
    database_statement_seconds: int = Field(
        30,
        ge=1,
        le=3600,
        description="How long one statement may take on PostgreSQL in a web or worker process, in seconds; commands have no limit.",
    )
    database_lock_seconds: int = Field(
        10, ge=1, le=3600, description="How long a statement may wait for one lock of PostgreSQL, in seconds."
    )
    database_idle_seconds: int = Field(
        60,
        ge=1,
        le=3600,
        description="How long a transaction on PostgreSQL may stand without a statement, as one of a halted process does, in seconds.",
    )
    broker_url: str = Field(
        "", repr=False, description="Celery broker; empty: jobs run in a worker thread of the serving process."
    )
    blob_url: str = Field("", description="Bucket for files as s3://bucket/prefix; empty: a folder in the home folder.")
    s3_endpoint: str = Field("", description="Address of an S3 store that is not Amazon's.")
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_access_key: str = Field("", description="Access key of the bucket; empty: as boto3 finds it.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Secret key of the bucket; empty: as boto3 finds it.")
    public_url: str = Field(
        "", description="Base address of the reader app as readers see it; empty: the address it listens on."
    )
    staff_url: str = Field(
        "", description="Base address of the staff app as staff see it; empty: the address it listens on."
    )
    host: str = Field("127.0.0.1", description="Address both apps listen on.")
    reader_port: int = Field(8080, ge=0, le=65535, description="Port of the reader app; the next free one where taken.")
    staff_port: int = Field(8081, ge=0, le=65535, description="Port of the staff app; the next free one where taken.")
    web_processes: int = Field(
        1, ge=1, le=16, description="Serving processes; each runs jobs, too, where no broker is set."
    )
    threads: int = Field(16, ge=2, le=256, description="Threads of a serving process.")
    worker_threads: int = Field(3, ge=1, le=32, description="Jobs that one worker runs at the same time.")
    worker_nice: int = Field(
        5,
        ge=0,
        le=19,
        description="How far a worker process and its sandbox stand back where the processor is short (nice): a reader waits, a job can.",
    )
    lease_seconds: int = Field(
        300,
        ge=1,
        le=3600,
        description="Longest lease of a job: how long its worker may be silent before another takes it, in seconds; letters have at most 120.",
    )
    stop_seconds: int = Field(
        120,
        ge=1,
        le=7200,
        description="How long a web process that is told to stop goes on sending the copies under way, in seconds.",
    )
    watchdog_seconds: int = Field(
        30,
        ge=5,
        le=3600,
        description="How long a broker may take rings and bring nothing while jobs are due, in seconds; then the worker begins anew.",
    )
    accel: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9/_-]*/)?$",
        description="Location in nginx that sends copies out of the cache folder, as /rushlight-copies/; empty: the service sends them itself.",
    )
    cache_folder: Path | None = Field(
        None,
        description="Folder for copies that nginx sends or the viewer shows, and for articles of a bucket; empty: a folder in the home folder.",
    )
    cache_mib: int = Field(2048, ge=0, le=1048576, description="Most that the cache folder may hold, in MiB.")
    proxies: int = Field(0, ge=0, le=5, description="How many reverse proxies stand in front and set X-Forwarded-For.")
    language: str = Field(
        "en", pattern="^(en|zh)$", description="Language for people who have not chosen one: en or zh."
    )
    smtp_url: str = Field(
        "",
        repr=False,
        description="Mail server as smtp://user:password@host:port or smtps://; empty: mails go to a folder.",
    )
    sender: str = Field("Rushlight <rushlight@localhost>", description="From address of all mails.")
    unpaywall_email: str = Field("", description="Contact address sent to Unpaywall; empty: Unpaywall is off.")
    upload_mib: int = Field(200, ge=1, le=2048, description="Largest file a librarian may upload, in MiB.")
    window_minutes: int = Field(120, ge=1, le=1440, description="How long a download window stays open, in minutes.")
    window_networks: int = Field(
        3, ge=1, le=100, description="How many networks (/24, /48) one download window serves."
    )
    overshared_networks: int = Field(
        10,
        ge=0,
        le=1000,
        description="From how many networks (/24, /48) a link is asked for before staff are told; 0: never.",
    )
    overshared_hours: int = Field(24, ge=1, le=168, description="Within how many hours these networks are counted.")
    reader_pace: str = Field(
        "20 per minute, 100 per hour, 300 per day",
        description="How many requests, and how many opens, one reader or library card may make; empty: no limit.",
    )
    library_pace: str = Field(
        "240 per minute, 3000 per hour, 20000 per day",
        description="How many requests, and how many opens, all readers of one library may make; empty: no limit.",
    )
    token_pace: str = Field(
        "60 per minute, 1000 per hour, 5000 per day",
        description="How many requests, and how many opens, may come by one API token; empty: no limit.",
    )
    sign_in_pace: str = Field(
        "10 per 5 minutes",
        description="How many sign-ins may fail for one account, and for one network address; empty: no limit.",
    )
    second_factor: Literal["offered", "demanded"] = Field(
        "offered",
        description="Whether staff may have a second factor (offered) or set one up at their next sign-in (demanded).",
    )
    oidc_issuer: str = Field(
        "",
        description="OpenID provider as its issuer's address, to the letter; empty: people sign in by passwords alone.",
    )
    oidc_client_id: str = Field("", description="What the provider calls this service.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The secret shared with the provider; empty: PKCE alone."
    )
    oidc_scopes: str = Field("openid email profile", description="What is asked of the provider.")
    oidc_title: str = Field("", description="The institution's name on the sign-in button.")
    oidc_apps: str = Field(
        "reader,staff", pattern="^(reader|staff)(,(reader|staff))?$", description="Which apps the provider signs in to."
    )
    oidc_libraries: str = Field(
        "", description="Ids of the libraries the provider speaks for, with commas; new readers come into the first."
    )
    oidc_library_claim: str = Field(
        "", description="Claim that names a new reader's library, one of these; empty: the first."
    )
    oidc_category_claim: str = Field(
        "", description="Claim that tells a reader's category at each sign-in; empty: none."
    )
    oidc_card_claim: str = Field("", description="Claim that tells a new reader's library card; empty: none.")
    limits_url: str = Field(
        "",
        repr=False,
        description="Redis that all processes count attempts per address in, as redis://host:6379/1; empty: each process counts by itself.",
    )
    sign_in_days: int = Field(14, ge=1, le=365, description="How long a reader stays signed in, in days.")
    staff_sign_in_hours: int = Field(12, ge=1, le=168, description="How long staff stay signed in, in hours.")
    open_registration: bool = Field(
        True, description="Whether readers may register by themselves with a confirmed address."
    )
    two_person: bool = Field(
        True,
        description="Whether a second rights officer has to confirm agreements and overrides; each lone act is logged.",
    )
    identity_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="How long a closed request names its reader, in days; agreements may need longer.",
    )
    record_days: int = Field(
        1825,
        ge=30,
        le=36500,
        description="How long the record of a closed request is kept, in days; agreements may need longer.",
    )
    retention_notice_days: int = Field(
        7, ge=0, le=365, description="How long rights officers see what will be forgotten before it is, in days."
    )
    pdf_memory_mib: int = Field(1024, ge=256, le=16384, description="Memory of one PDF child process, in MiB.")
    pdf_seconds: int = Field(30, ge=1, le=600, description="Processor time of one PDF child process, in seconds.")
    pdf_engine: Literal["auto", "tail", "rewrite"] = Field(
        "auto",
        description="How copies are made: tail (a master and some kilobytes each), rewrite (a whole file each), or auto (tail where it can).",
    )
    prepare_after: int = Field(
        1,
        ge=1,
        le=100,
        description="The how many-th copy of one source has it prepared; whole files before. 2 where nearly every article is asked for once.",
    )
    pdf_signed: Literal["flatten", "refuse"] = Field(
        "flatten",
        description="Signed files: flatten (the signature's looks stay, the cover says it is gone) or refuse.",
    )
    pdf_archival: Literal["drop-claim", "keep"] = Field(
        "drop-claim",
        description="PDF/A files: drop-claim, or keep (plain whole files; refused where an agreement demands encryption).",
    )
    pdf_damaged: Literal["take", "refuse"] = Field("take", description="Files that open after a repair only.")
    pdf_protected: Literal["take", "refuse"] = Field("take", description="Files that their publisher encrypted.")
    master_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="How long a prepared document serves new copies, in days; after that it is prepared anew, under a new key.",
    )
    jobs_keep_days: int = Field(
        90,
        ge=7,
        le=3650,
        description="How long the row of a job stays that was done, in days; never while its request is open or its copy can be opened.",
    )
    fetch_seconds: int = Field(120, ge=5, le=3600, description="Longest time for fetching one full text, in seconds.")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="What Prometheus sends as bearer token to read /metrics of the staff app, at least 16 characters; empty: nobody may.",
    )
    log_origin: str = Field(
        "",
        pattern=r"^[^\s+]*$",
        description="Name of the audit log for good, as delivery.example.org/log, taken when its keys are made; empty: from the public address.",
    )
    checkpoint_seconds: int = Field(
        60, ge=1, le=86400, description="Longest time until new events stand under a signed checkpoint, in seconds."
    )
    checkpoint_events: int = Field(
        1000, ge=1, le=1000000, description="How many new events bring a signed checkpoint at once."
    )
    log_entries: Literal["withheld", "public"] = Field(
        "withheld",
        description="Whether everybody may read the log's entries beside its checkpoint and tiles; they hold no personal data.",
    )
    log_places: str = Field(
        "",
        description="Places outside that keep checkpoints, parted by blanks: folder:/path, s3://bucket/prefix, mailto:address, https://witness/log#KEY.",
    )
    log_witnessed: str = Field(
        "", description="Verifier keys of the logs that this service witnesses for others, parted by blanks."
    )
    testing: bool = Field(False, description="Only for tests of the service itself: lets RUSHLIGHT_CRASH_AT count.")
    crash_at: str = Field(
        "",
        pattern=r"^([a-z:_-]+:(before|after)(,[a-z:_-]+:(before|after))*)?$",
        description="Only for tests: steps, as copy:supplied:before, at which a process kills itself, each once and in this order.",
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What goes to the process log.")

    @field_validator("metrics_token")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @field_validator("reader_pace", "library_pace", "token_pace", "sign_in_pace")
    @classmethod
    def _is_pace(cls, value: str) -> str:
        read_pace(value)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        near = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if value and (not (parts.scheme == "https" or near) or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("must be an address such as https://login.example.org")
        return value

    @field_validator("oidc_libraries")
    @classmethod
    def _names_libraries(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value.strip(" ,"):
            raise ValueError("must name the libraries that the provider speaks for")
        return value

    @field_validator("limits_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must be an address such as redis://localhost:6379/1")
        return value

    @field_validator("public_url", "staff_url")
    @classmethod
    def _is_base(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://delivery.example.org")
        return value.rstrip("/")

    @field_validator("blob_url")
    @classmethod
    def _is_bucket(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "s3" or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("must be an address such as s3://bucket/prefix")
        return value

    @property
    def key_file(self) -> Path:
        """Where the key ring lies."""
        return self.home / "keys.json"

    @property
    def mail_folder(self) -> Path:
        """Where mails go without a mail server."""
        return self.home / "mail"

    @property
    def blob_folder(self) -> Path:
        """Where the local blob store keeps its files."""
        return self.home / "blobs"

    @property
    def copies_folder(self) -> Path:
        """Where copies lie as files for a while."""
        return (self.cache_folder or self.home / "cache").absolute()

    @property
    def head_file(self) -> Path:
        """Where the head of the audit log is kept, beside the database."""
        return self.home / "audit-head.json"

    @property
    def log_key_file(self) -> Path:
        """Where the keys lie that sign checkpoints of the audit log."""
        return self.home / "log-keys.json"

    @property
    def database(self) -> str:
        """The database's URL with the default filled in."""
        return self.database_url or f"sqlite:///{(self.home / 'rushlight.db').absolute()}"

    @property
    def secrets_file(self) -> Path:
        """Where the readers' secrets lie without a database of their own."""
        return self.home / "reader-secrets.db"

    @property
    def secrets(self) -> str:
        """The URL of the readers' secrets with the default filled in."""
        return self.secrets_url or f"sqlite:///{self.secrets_file.absolute()}"

    @property
    def window(self) -> timedelta:
        """Length of a download window."""
        return timedelta(minutes=self.window_minutes)


def read_settings() -> Settings:
    """The settings of this process; SettingsError names each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = "RUSHLIGHT_" + "_".join(str(part) for part in problem["loc"]).upper()
            lines.append(f"{name}: {problem['msg']}")
        raise SettingsError("; ".join(lines)) from None
