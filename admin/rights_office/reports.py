"""Reports in the rights office: on the page, as CSV and as a workbook."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from flask import Blueprint, Response, g, render_template, request
from flask.typing import ResponseReturnValue

from delivery.errors import Invalid
from delivery.people import Role
from delivery.services.context import require
from delivery.services.officers import guarded_cell
from delivery.services.reporting import KINDS, Report, report
from delivery.web.shell.given import day
from delivery.web.shell.shell import site

blueprint = Blueprint("reports", __name__, url_prefix="/rights/reports")
SHOWN = 200
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Choose a report; with a choice made, its first rows."""
    ctx, _ = site()
    require(g.person, Role.RIGHTS_OFFICER)
    today = ctx.clock().date()
    found, errors = None, {}
    if request.args.get("kind"):
        try:
            found = _made()
        except Invalid as error:
            errors = dict(error.fields)
    with ctx.store.read() as work:
        # Also those that have ended: last year's agreement is reported on this year.
        names = sorted({version.id for version in work.agreements.standing("confirmed")})
    shown = render_template(
        "reports.html",
        found=found,
        errors=errors,
        names=names,
        kinds=KINDS,
        names_of=lambda made, row: zip(made.columns, row, strict=True),
        most=SHOWN,
        since=request.args.get("since") or today.replace(month=1, day=1),
        until=request.args.get("until") or today,
    )
    return shown, 422 if errors else 200


def _made() -> Report:
    ctx, _ = site()
    try:
        since = day(request.args.get("since", ""))
        until = day(request.args.get("until", "")) + timedelta(days=1)
    except ValueError:
        raise Invalid({"since": "bad-date"}) from None
    return report(ctx, g.person, request.args.get("kind", ""), request.args.get("agreement", ""), since, until)


def _name(made: Report, ending: str) -> dict[str, str]:
    last = made.until - timedelta(days=1)
    name = f"rushlight-{made.kind}-{made.since:%Y-%m-%d}-{last:%Y-%m-%d}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@blueprint.get("/report.csv")
def as_csv() -> ResponseReturnValue:
    """The report as CSV, guarded against formulas."""
    made = _made()
    text = io.StringIO()
    # The mark lets spreadsheets read Chinese titles as what they are.
    text.write("\ufeff")
    lines = csv.writer(text)
    lines.writerow(made.columns)
    lines.writerows([guarded_cell(cell) for cell in row] for row in made.rows)
    return Response(text.getvalue(), mimetype="text/csv; charset=utf-8", headers=_name(made, "csv"))


@blueprint.get("/report.xlsx")
def as_workbook() -> ResponseReturnValue:
    """The report as a workbook. Texts are written as texts: nothing in them is ever taken for a formula or a link."""
    import xlsxwriter  # not at the start of each process: few ever write a workbook

    made = _made()
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        sheet = book.add_worksheet(made.kind)
        bold = book.add_format({"bold": True})
        for column, name in enumerate(made.columns):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(made.rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(number, column, cell)
                else:
                    sheet.write_string(number, column, cell)
        sheet.freeze_panes(1, 0)
    return Response(data.getvalue(), mimetype=WORKBOOK, headers=_name(made, "xlsx"))
