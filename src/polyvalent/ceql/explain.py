"""Tell in words how a query is answered, and why not all of it by the vendor."""

from __future__ import annotations

from polyvalent.ceql.plan import Cause, Plan, Push, Pushed, Reason
from polyvalent.ceql.tree import Sort
from polyvalent.ceql.write import write_order, write_where

_WHY: dict[Cause, str] = {
    "noFilter": "the vendor does not filter by this field",
    "noOperator": "the vendor filters by this field, but not with this operator",
    "wider": "the vendor's filter may let more rows through",
    "value": "the value cannot be put to the vendor without loss",
    "length": "the list is longer than the vendor takes",
    "either": "the vendor cannot be asked for one of several conditions",
    "once": "the vendor minds only one condition of this sort, and another is sent",
    "noSort": "the vendor does not sort by this field, or sorts it differently",
    "ties": "the vendor may swap rows that are equal by this, and pages would lose some",
    "keys": "the vendor cannot sort by so many fields",
}


def explain_plan(plan: Plan) -> dict[str, object]:
    """
    Explain a plan as plain JSON.

    {"pushed": [{"where": "price >= 10", "values": ["10"], "exact": true}], "residual": null,
    "orderPushed": null, "orderHere": null, "keyset": "entity_id", "scans": false, "reasons":
    ["name LIKE '%mug%' is filtered here: the vendor ..."]}
    """
    return {
        "pushed": [_explain_push(item) for item in plan.pushed],
        "residual": write_where(plan.residual) or None,
        "orderPushed": write_order(plan.order_pushed) or None,
        "orderHere": write_order(plan.order_here) or None,
        "keyset": plan.keyset or None,
        "scans": plan.scans,
        "reasons": [_explain_reason(reason) for reason in plan.reasons],
    }


def _explain_push(item: Pushed) -> dict[str, object]:
    if isinstance(item, Push):
        return {
            "where": write_where(item.predicate),
            "values": list(item.values),
            "exact": item.exact,
        }
    return {"anyOf": [[_explain_push(inner) for inner in branch] for branch in item.branches]}


def _explain_reason(reason: Reason) -> str:
    why = _WHY[reason.cause]
    if isinstance(reason.part, Sort):
        return f"{write_order((reason.part,))} is sorted here: {why}."
    also = "also " if reason.narrowed else ""
    what = write_where(reason.part)
    return f"{what} is {also}filtered here: {why}."
