"""Sign-ins, mailed tokens, API tokens and kept answers in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from delivery.people import Person
from delivery.stores import ApiTokenRecord, KeptAnswer
from storage.directory import as_person
from storage.models import ApiTokenRow, IdempotencyRow, PersonRow, SignInRow, UsedTokenRow

# Asked at each call of a program: made once, and a plain row takes half the time of an object of the session.
SPEAKS_FOR = (
    select(PersonRow.__table__)
    .join(ApiTokenRow, ApiTokenRow.person_id == PersonRow.id)
    .where(ApiTokenRow.id == bindparam("token"), ApiTokenRow.revoked_at.is_(None))
)


class SqlTokens:
    """What lets people and programs in."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def sign_in(self, secret_hash: str, person_id: str, app: str, at: datetime, ends_at: datetime) -> None:
        """Keep a sign-in."""
        self.session.add(
            SignInRow(secret_hash=secret_hash, person_id=person_id, app=app, created_at=at, ends_at=ends_at)
        )

    def signed_in(self, secret_hash: str, app: str, now: datetime) -> Person | None:
        """The person behind a live sign-in of an active account, by one statement."""
        row = self.session.scalar(
            select(PersonRow)
            .join(SignInRow, SignInRow.person_id == PersonRow.id)
            .where(
                SignInRow.secret_hash == secret_hash,
                SignInRow.app == app,
                SignInRow.ends_at > now,
                PersonRow.standing == "active",
            )
        )
        return None if row is None else as_person(row)

    def sign_out(self, secret_hash: str) -> None:
        """End one sign-in."""
        self.session.execute(delete(SignInRow).where(SignInRow.secret_hash == secret_hash))

    def sign_out_person(self, person_id: str) -> None:
        """End all sign-ins of a person."""
        self.session.execute(delete(SignInRow).where(SignInRow.person_id == person_id))

    def use_once(self, token_hash: str, at: datetime) -> bool:
        """Whether this is the token's first use. Two at once: one wins."""
        insert = postgresql.insert if self.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        statement = insert(UsedTokenRow).values(token_hash=token_hash, used_at=at).on_conflict_do_nothing()
        return self.session.scalar(statement.returning(UsedTokenRow.token_hash)) is not None

    def add_api_token(self, record: ApiTokenRecord) -> None:
        """Enter an issued API token."""
        self.session.add(
            ApiTokenRow(
                id=record.id,
                person_id=record.person_id,
                label=record.label,
                issued_at=record.issued_at,
                expires_at=record.expires_at,
            )
        )

    def speaks_for(self, token_id: str) -> Person | None:
        """The person for whom a token in the register speaks; None where there is none such, or it was revoked."""
        row = self.session.execute(SPEAKS_FOR, {"token": token_id}).one_or_none()
        return None if row is None else as_person(row)

    def revoke_api_token(self, token_id: str, at: datetime) -> bool:
        """End a token; False when there is none."""
        row = self.session.get(ApiTokenRow, token_id)
        if row is None:
            return False
        row.revoked_at = row.revoked_at or at
        return True

    def kept_answer(self, person_id: str, key: str) -> KeptAnswer | None:
        """What this key was answered before."""
        row = self.session.get(IdempotencyRow, (person_id, key))
        return None if row is None else KeptAnswer(row.body_hash, row.status, row.answer)

    def keep_answer(self, person_id: str, key: str, kept: KeptAnswer, at: datetime) -> None:
        """Keep an answer; Conflict at commit when another call with the key was faster."""
        self.session.add(
            IdempotencyRow(
                person_id=person_id,
                key=key,
                body_hash=kept.body_hash,
                status=kept.status,
                answer=dict(kept.answer),
                created_at=at,
            )
        )
        self.session.flush()

    def forget_before(self, instant: datetime) -> None:
        """Drop ended sign-ins, kept answers and used tokens older than the instant."""
        self.session.execute(delete(SignInRow).where(SignInRow.ends_at < instant))
        self.session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < instant))
        self.session.execute(delete(UsedTokenRow).where(UsedTokenRow.used_at < instant))
