"""Commands about libraries, people and API tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from admin.cli_sources import RANKS
from admin.cli_sources import keep as keep_source
from admin.settings import read_settings
from admin.wiring import Services, build_services
from delivery.errors import Invalid, NotFound
from delivery.passwords import hash_password, new_password
from delivery.people import Library, Person, Role
from delivery.services import accounts, second_factors
from delivery.services.deciding import DESK
from delivery.services.forgetting import forget
from delivery.stores import ApiTokenRecord, Source
from drm.audit.events import Event

OPERATOR = "operator"


def _services() -> Services:
    return build_services(read_settings())


@click.group()
def library() -> None:
    """Member libraries."""


@library.command("add")
@click.argument("library_id", help="Id of the new library: small letters, digits and hyphens.")
@click.option("--name", required=True, help="Name in English.")
@click.option("--name-zh", default="", help="Name in Chinese.")
@click.option("--country", required=True, help="Two letters, such as IE or CN.")
@click.option("--tz", required=True, help="Zone of its civil time, such as Europe/Dublin.")
@click.option(
    "--language",
    default="en",
    type=click.Choice(["en", "zh"]),
    show_default=True,
    help="Language of what is shown or sent.",
)
@click.option("--email", required=True, help="Where readers and partners write.")
@click.option("--isil", default="", help="ISIL, where it has one.")
@click.option("--group", default="", help="Branches with the same word here count as one library.")
@click.option("--for-profit", is_flag=True, help="The library is conducted for profit, which some laws ask.")
def library_add(
    library_id: str,
    name: str,
    name_zh: str,
    country: str,
    tz: str,
    language: str,
    email: str,
    isil: str,
    group: str,
    for_profit: bool,
) -> None:
    """Add a member library with a desk for its librarians, or change one.

    The desk supplies under the agreements that a rights officer binds to it.
    """
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.UsageError(f"--tz: {tz!r} is no time zone; take one such as Asia/Shanghai") from None
    if len(country) != 2 or not country.isalpha():
        raise click.UsageError(f"--country: {country!r} is not two letters")
    if not library_id.replace("-", "").isalnum() or library_id != library_id.lower():
        raise click.UsageError("LIBRARY_ID takes lower-case letters, digits and hyphens")
    for word, written, most in (("LIBRARY_ID", library_id, 58), ("--isil", isil, 32), ("--group", group, 64)):
        if len(written) > most:
            raise click.UsageError(f"{word} takes at most {most} characters")
    services = _services()
    fresh = Library(
        library_id, name, name_zh, country.upper(), tz, language, email, isil, group=group, for_profit=for_profit
    )
    with services.store.write() as work:
        known = next((one for one in work.libraries.all() if one.id == library_id), fresh)
        work.libraries.save(replace(fresh, url=known.url, phone=known.phone, agreements=known.agreements))
        desks = [one for one in work.sources.all() if one.kind == DESK and one.library_id == library_id]
    if not desks:
        keep_source(services, Source(f"desk-{library_id}", DESK, f"Desk of {name}", library_id, (), {}, RANKS[DESK]))
    click.echo(f"library {library_id} is kept")


@click.group()
def people() -> None:
    """Readers and staff."""


@people.command("add")
@click.argument("email", help="E-mail address the person signs in with.")
@click.option("--name", required=True, help="Full name.")
@click.option("--library", "library_id", required=True, help="Id of the library.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    default=["reader"],
    show_default=True,
    help="What the person may do; once for each role.",
)
@click.option(
    "--language",
    default="en",
    type=click.Choice(["en", "zh"]),
    show_default=True,
    help="Language of what is shown or sent.",
)
@click.option("--category", default="", help="Category that agreements may ask for, such as student or walk_in.")
@click.option("--group", default="", help="Readers with the same word here are a group for agreements.")
@click.option("--card", default="", help="Number of the library card; accounts of one card are counted as one reader.")
def people_add(
    email: str, name: str, library_id: str, roles: tuple[str, ...], language: str, category: str, group: str, card: str
) -> None:
    """Add a person and print a generated password, once."""
    services = _services()
    now = services.ctx.clock()
    person, salt = accounts.new_person(library_id, name, email, language, frozenset(Role(role) for role in roles), now)
    person = replace(person, category=category.strip()[:32], group=group.strip()[:64])
    password = new_password()
    hashed = hash_password(password)
    with services.store.write() as work:
        work.libraries.get(library_id)
        if work.people.by_email(email) is not None:
            raise Invalid({"email": "email-taken"})
        person = replace(person, card=accounts.card_hash(services.ctx, work, library_id, card))
        work.people.add(person, salt, hashed)
        work.record(Event("person:added", now, OPERATOR, library_id, code="+".join(sorted(roles))))
    click.echo(f"{email}  {password}")


def _person(services: Services, email: str) -> Person:
    with services.store.read() as work:
        person = work.people.by_email(email)
    if person is None:
        raise NotFound("unknown-person", f"There is nobody with the address {email}.")
    return person


@people.command("change")
@click.argument("email", help="E-mail address the person signs in with.")
@click.option("--name", help="Full name.")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]), help="All roles anew."
)
@click.option("--category", help="Category that agreements may ask for; an empty word takes it away.")
@click.option("--group", help="Group for agreements; an empty word takes it away.")
def people_change(
    email: str, name: str | None, roles: tuple[str, ...], category: str | None, group: str | None
) -> None:
    """Change a person's name, roles, category or group. What is not named stays."""
    services = _services()
    wanted = accounts.Changes(name, frozenset(Role(role) for role in roles), category, group)
    accounts.change(services.ctx, _person(services, email), wanted, OPERATOR)
    click.echo(f"{email} is changed")


@people.command("reset-password")
@click.argument("email", help="E-mail address the person signs in with.")
def people_reset(email: str) -> None:
    """Give a person a new generated password and print it, once. All sign-ins of the person end."""
    services = _services()
    person = _person(services, email)
    password = new_password()
    accounts.set_password(services.ctx, person, password, opens=True)
    click.echo(f"{person.email}  {password}")


@people.command("reset-second-factor")
@click.argument("email", help="E-mail address the person signs in with.")
def people_reset_factor(email: str) -> None:
    """Take all second factors of a person away; his sign-ins end. Make sure first that it is he who asks."""
    services = _services()
    count = second_factors.reset(services.ctx, _person(services, email), OPERATOR)
    click.echo(f"{email}: {count} second factor(s) taken away")


@people.command("disable")
@click.argument("email", help="E-mail address the person signs in with.")
def people_disable(email: str) -> None:
    """Close an account at once; its sign-ins and API tokens end."""
    services = _services()
    accounts.disable(services.ctx, _person(services, email), OPERATOR)
    click.echo(f"{email} is disabled")


@people.command("forget")
@click.argument("email", help="E-mail address the person signs in with.")
@click.option("--yes", is_flag=True, help="Do not ask again. There is no way back.")
def people_forget(email: str, yes: bool) -> None:
    """Forget a person for good: account, name, and the secret behind the pseudonym.

    Refused while requests are open, a legal hold keeps the records, or an agreement needs the name; then the date is told.
    """
    services = _services()
    person = _person(services, email)
    if not yes:
        click.confirm(f"Forget {person.name} <{person.email}> for good?", abort=True)
    count = forget(services.ctx, person, OPERATOR)
    click.echo(f"{email} is forgotten; {count} requests lead to nobody now")


@click.group()
def token() -> None:
    """API tokens."""


@token.command("issue")
@click.argument("email", help="E-mail address the person signs in with.")
@click.option("--label", default="", help="What the token is for.")
@click.option("--days", default=90, type=click.IntRange(1, 366), show_default=True, help="How long it is good for.")
def token_issue(email: str, label: str, days: int) -> None:
    """Issue a bearer token that acts for this person, and print it, once."""
    services = _services()
    person = _person(services, email)
    now = services.ctx.clock()
    text, claims = services.ctx.api_tokens.issue(person.id, now, timedelta(days=days))
    with services.store.write() as work:
        work.tokens.add_api_token(ApiTokenRecord(claims.token_id, person.id, label, now, claims.expires_at))
        work.record(Event("token:issued", now, OPERATOR, person.library_id, code=claims.token_id[:8]))
    click.echo(text)


@token.command("revoke")
@click.argument("token_id", help="Id that `token issue` printed.")
def token_revoke(token_id: str) -> None:
    """End a token by its id (the jti in it)."""
    services = _services()
    with services.store.write() as work:
        if not work.tokens.revoke_api_token(token_id, services.ctx.clock()):
            raise NotFound("unknown-token", f"There is no token {token_id}.")
        work.record(Event("token:revoked", services.ctx.clock(), OPERATOR, code=token_id[:8]))
    click.echo(f"token {token_id} is revoked")
