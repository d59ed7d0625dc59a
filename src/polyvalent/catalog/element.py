"""
Say what an element is: the platform's element JSON as frozen structs.

One model serves the folders of `elements/`, the bodies of `POST /elements` and the answers of
`GET /elements/{keyOrId}/export`. Decoding is construction: a validated struct is the element,
no factory stands between. Wire names are the camel case of the field names.

Members that the platform's model lacks are gathered in eight extension members, all optional and
ignored by others on import: `Resource.collection`, `Resource.filtering`, `Resource.writing`,
`Element.verification`, `Element.failures`, `Element.limits`, `Element.webhooks` and
`Element.origin`. `docs/reference/element-format.md` describes them.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from polyvalent.catalog.writing import Writing
from polyvalent.ceql import Filter, Sorting

# What an answer asks of us, told by status and text; see FailureRule.
FailureKind = Literal[
    "reauthorize",  # the token is gone: the merchant has to authorize again
    "configuration",  # key, secret, address or signature is wrong
    "permission",  # the vendor's user lacks a right
    "refused",  # the request itself is bad
    "absent",  # no such row
    "duplicate",  # the row exists already
    "wait",  # too many calls
    "transient",  # may work later, nothing was done
    "ambiguous",  # failed, but may have been done
]


class Authentication(Struct, frozen=True, rename="camel"):
    """Name how instances of the element authenticate: `{"type": "oauth1"}`."""

    type: str


class Option(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Offer one choice of a COMBO configuration entry."""

    value: str
    description: str = ""


class ConfigurationEntry(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Describe one configuration key of an element: label, default, and whether it is needed."""

    key: str
    name: str
    description: str = ""
    type: str = "TEXTFIELD_1000"
    id: int = 0
    # May carry {other.key} placeholders; None means null on the wire, which is not the empty text.
    default_value: str | None = None
    required: bool = False
    hide_from_console: bool = False
    active: bool = True
    internal: bool = False
    group_control: bool = False
    group_name: str = ""
    display_order: int = 0
    reseller_config: bool = False
    company_config: bool = False
    is_private: bool = False
    options: tuple[Option, ...] = ()


class Parameter(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Map a value of the incoming call to a place in the vendor's call, or back."""

    name: str
    vendor_name: str
    type: str
    vendor_type: str
    id: int = 0
    data_type: str = "string"
    vendor_data_type: str = "string"
    source: Literal["request", "response"] = "request"
    required: bool = False
    description: str = ""
    converter: str = ""
    sample_data: Any = None
    element_id: int = 0
    resource_id: int = 0
    created_date: str = ""


class Hook(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Keep one script of an element or resource, as text."""

    type: Literal["preRequest", "postRequest", "event"]
    body: str
    id: int = 0
    mime_type: str = "application/javascript"
    is_legacy: bool = False
    context_params: str = ""
    element_id: int = 0
    resource_id: int = 0


class Collection(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell how the vendor answers a search, where the platform's model has no word for it.

    Extension member `collection` of a resource.
    """

    # "keyed": an object whose keys are the ids ({"1": {…}}), or [] when empty; "array": a list.
    shape: Literal["array", "keyed"] = "array"
    # "repeatsLast": a page past the end is the last page again, so emptiness never comes.
    past_the_end: Literal["empty", "repeatsLast"] = "empty"
    # Vendor query pairs that give a stable order, sent with every search.
    stable_order: tuple[tuple[str, str], ...] = ()
    # The field of a row that the stable order ascends by, and the vendor query pairs that ask for
    # the rows behind one: {last} stands for its value. Without them paging goes by page number.
    cursor_field: str = ""
    rows_after: tuple[tuple[str, str], ...] = ()
    # The same for the opposite order: the rows before {last}.
    rows_before: tuple[tuple[str, str], ...] = ()
    # "emptyPage": a page may have fewer rows than asked for although more follow.
    ends_with: Literal["shortPage", "emptyPage"] = "shortPage"
    # Where an answer tells how many rows the whole list has: a header, or a member of the body.
    total_header: str = ""
    total_key: str = ""


class Filtering(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell what the vendor filters and sorts by itself, and how it is asked to.

    Extension member `filtering` of a resource. What `filters` and `sorting` leave out is done
    here. The query pairs have placeholders: {n} is the number of a condition, {field}, {operator}
    and {value} are its parts, {i} the number of a value in a list; the numbers of one call all have
    the same count of digits, since some servers sort the names they sign as people do.
    """

    filters: tuple[Filter, ...] = ()
    sorting: Sorting = Sorting()
    # Our operator and the vendor's: [["=", eq]].
    operators: tuple[tuple[str, str], ...] = ()
    # The pairs of a condition; for isNull and isNotNull {value} is 1.
    pairs: tuple[tuple[str, str], ...] = ()
    # The pairs of in and notIn; one with {i} comes once for each value, else {value} is all of
    # them with commas between.
    list_pairs: tuple[tuple[str, str], ...] = ()
    # The pairs of an order, in place of the stable one; {direction} is one of `directions`, and
    # {n} the number of the field.
    order_pairs: tuple[tuple[str, str], ...] = ()
    directions: tuple[str, str] = ("asc", "desc")
    # Fields that some versions of the vendor lack, and what its answer says then.
    optional: tuple[str, ...] = ()
    refused_by: str = ""


class Resource(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Map one normalized method and path to one vendor method and path."""

    path: str
    method: str
    vendor_path: str = ""
    vendor_method: str = ""
    id: int = 0
    type: str = "api"
    kind: str = "eb"
    description: str = ""
    operation_id: str = ""
    root_key: str = ""
    pagination_type: Literal["VENDOR_SUPPORTED", "VENDOR_NOT_SUPPORTED"] = "VENDOR_SUPPORTED"
    next_page_key: str = ""
    next_resource: str = ""
    object: str = ""
    parameters: tuple[Parameter, ...] = ()
    hooks: tuple[Hook, ...] = ()
    model: Any = None
    response: Any = None
    formula_id: int = 0
    tryitout_disable: bool = False
    owner_account_id: int = 0
    created_date: str = ""
    # Extensions.
    collection: Collection | None = None
    filtering: Filtering | None = None
    writing: Writing | None = None


class ObjectField(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Describe one field of an object."""

    name: str
    type: str = "string"
    id: int = 0
    format: str = ""
    required: bool = False
    primary_key: bool = False
    hidden: bool = False
    read_only: bool = False
    reference: Any = None
    object_id: int = 0
    owner_account_id: int = 0
    reference_object_id: int = 0


class SearchConfiguration(Struct, frozen=True, rename="camel", omit_defaults=True):
    """List the fields and operators that a search on an object takes."""

    fields: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


class ElementObject(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Describe a record type that resources of the element handle."""

    name: str
    id: int = 0
    vendor_name: str = ""
    primary_key_name: str = "id"
    created_date_name: str = ""
    created_date_format: str = ""
    updated_date_name: str = ""
    updated_date_format: str = ""
    query_date_name: str = ""
    query_date_format: str = ""
    query_date_operator: str = ""
    search_configuration: SearchConfiguration = SearchConfiguration()
    fields: tuple[ObjectField, ...] = ()
    bulk_download_enabled: bool = False
    bulk_upload_enabled: bool = False
    native_bulk_download: bool = False
    native_bulk_upload: bool = False
    events_enabled: bool = False
    event_created_supported: bool = False
    event_updated_supported: bool = False
    event_deleted_supported: bool = False
    vendor_event_types: Any = None
    metadata_discovery: bool = False
    custom_fields: bool = False
    operations_supported: Any = None
    tags: Any = None
    owner_account_id: int = 0
    migrated: bool = False


class FailureRule(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Recognize one kind of failed answer and say what a person should do about it.

    Extension member `failures` of an element: the first rule whose conditions all hold decides.
    An absent condition holds always. `contains` is looked for in the body as text.
    """

    kind: FailureKind
    status: tuple[int, ...] = ()
    contains: str = ""
    content_type: str = ""
    methods: tuple[str, ...] = ()
    empty_body: bool = False
    # A full sentence for an engineer or merchant: what it means, what to do and where.
    message: str = ""
    # The status that our caller gets, where the kind's usual one does not fit; 0: the usual one.
    answer: int = 0


class Limits(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell how often the vendor may be called, and how it says that this was too often.

    Extension member `limits` of an element.
    """

    # Calls that one instance may make in a second; 0: as many as the platform allows.
    calls_per_second: float = 0.0
    # Headers beside Retry-After that tell how long to wait, each with its unit: "s", "ms", or
    # "epoch" for the moment in seconds since 1970. [["X-Rate-Limit-Time-Reset-Ms", "ms"]].
    retry_after: tuple[tuple[str, Literal["s", "ms", "epoch"]], ...] = ()
    # Pages of one list that may be asked for at the same time, where the list tells its total.
    parallel_reads: int = 1


class WebhookSignature(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Tell how the vendor signs its calls: an HMAC-SHA256 of the body, in a header."""

    header: str
    # The configuration entry of the instance that holds the key; without one nothing is checked.
    key: str
    encoding: Literal["hex", "base64"] = "hex"
    # What stands before the signature: "sha256=".
    prefix: str = ""


class Webhooks(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell where the vendor's own calls say what happened.

    Extension member `webhooks` of an element. Each is the path of a member, from where `rows` leads
    to if that is a list: each of its members is then one event.
    """

    rows: str = ""
    object_type: str = ""
    object_id: str = ""
    event_type: str = ""
    # The vendor's word and ours: [["order.created", CREATED]].
    event_types: tuple[tuple[str, Literal["CREATED", "UPDATED", "DELETED"]], ...] = ()
    date: str = ""
    signature: WebhookSignature | None = None


class VerificationRead(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Describe one cheap read that proves new credentials work.

    Extension member `verification` of an element: the reads are tried in order until the vendor
    permits one. A row of the answer must have every field of `expect_fields`, else the
    credentials see less than they should and `otherwise` says what to do.
    """

    vendor_path: str
    query: tuple[tuple[str, str], ...] = ()
    expect_fields: tuple[str, ...] = ()
    # What it means when rows come but without the fields (a public view), or empty (no rights).
    otherwise: str = ""
    when_rows_empty: str = ""


class Element(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Describe a connector to one vendor, whole."""

    name: str
    description: str
    authentication: Authentication
    key: str = ""
    id: int = 0
    hub: str = "general"
    protocol_type: str = "http"
    image: str = ""
    logo: str = ""
    active: bool = True
    deleted: bool = False
    beta: bool = False
    cloneable: bool = True
    extendable: bool = False
    extended: bool = False
    private: bool = False
    trial_account: bool = False
    type_oauth: bool = False
    transformations_enabled: bool = True
    bulk_download_enabled: bool = True
    bulk_upload_enabled: bool = True
    configuration: tuple[ConfigurationEntry, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    resources: tuple[Resource, ...] = ()
    hooks: tuple[Hook, ...] = ()
    objects: tuple[ElementObject, ...] = ()
    element_metadata: Any = None
    hook_name: str = ""
    paginator_version: str = ""
    model_type: str = ""
    child_transformations_enabled: bool = False
    use_models_for_metadata: bool = False
    actually_extended: bool = False
    config_description: str = ""
    existing_account_description: str = ""
    signup_url: str = field(name="signupURL", default="")
    element_provision_type: str = ""
    # Extensions.
    # The key of the packaged element that this one is a copy of; what is mapped for that is
    # mapped for this one too.
    origin: str = ""
    verification: tuple[VerificationRead, ...] = ()
    failures: tuple[FailureRule, ...] = ()
    limits: Limits | None = None
    webhooks: Webhooks | None = None
