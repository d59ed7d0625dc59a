"""
Know the query language: what a text says, what it means, and how a vendor can help with it.

`grammar` reads a text into a `tree`, `write` writes it again, `check` holds it against an object's
fields, `match` and `order` say what it means for rows of JSON, `plan` splits it into what a vendor
does, told as data by `capability`, and what is left to do here; `explain` says so in words. All of
it is pure computation and knows neither vendors nor HTTP.
"""

from polyvalent.ceql.capability import NOTHING, Capabilities, Encoding, Filter, Sorting
from polyvalent.ceql.check import check_fields, check_where, suggest_field
from polyvalent.ceql.explain import explain_plan
from polyvalent.ceql.grammar import parse_fields, parse_order, parse_statement, parse_where
from polyvalent.ceql.kind import Kind, Kinds
from polyvalent.ceql.match import Match, compile_match
from polyvalent.ceql.order import OrderKey, compile_order
from polyvalent.ceql.path import Row, compile_path
from polyvalent.ceql.plan import Plan, Push, PushAny, Pushed, Reason, make_plan
from polyvalent.ceql.scan import QueryError
from polyvalent.ceql.tree import Sort, Statement, Tree, all_of, any_of, fields_of, operator_of
from polyvalent.ceql.write import write_order, write_statement, write_where

__all__ = [
    "NOTHING",
    "Capabilities",
    "Encoding",
    "Filter",
    "Kind",
    "Kinds",
    "Match",
    "OrderKey",
    "Plan",
    "Push",
    "PushAny",
    "Pushed",
    "QueryError",
    "Reason",
    "Row",
    "Sort",
    "Sorting",
    "Statement",
    "Tree",
    "all_of",
    "any_of",
    "check_fields",
    "check_where",
    "compile_match",
    "compile_order",
    "compile_path",
    "explain_plan",
    "fields_of",
    "make_plan",
    "operator_of",
    "parse_fields",
    "parse_order",
    "parse_statement",
    "parse_where",
    "suggest_field",
    "write_order",
    "write_statement",
    "write_where",
]
