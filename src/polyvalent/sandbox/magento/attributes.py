"""
Which attributes each kind of caller can read and write, and which of them a call shows.

The lists are those of the vendor's configuration (flavor "newer" adds created_at and updated_at)
plus the custom attributes of this store: color and size of clothes, material and the like.
"""

from polyvalent.sandbox.magento.oauth_verify import PhpFatal
from polyvalent.sandbox.magento.state import Role

CUSTOM = "shirt_size material is_eco release_date warranty"

PRODUCT_WRITE = (
    "type_id attribute_set_id stock_data use_config_gift_message_available "
    "use_config_gift_wrapping_available url_key_create_redirect name description "
    "short_description sku price special_price special_from_date special_to_date cost weight "
    "manufacturer meta_title meta_keyword meta_description group_price tier_price color "
    "news_from_date news_to_date status url_key visibility custom_design custom_design_from "
    "custom_design_to custom_layout_update page_layout options_container country_of_manufacture "
    f"msrp_enabled msrp_display_actual_price_type msrp tax_class_id gift_message_available {CUSTOM}"
)
PRODUCT_GUEST = (
    "entity_id type_id image_url is_saleable total_reviews_count url buy_now_url "
    "has_custom_options is_in_stock regular_price_with_tax regular_price_without_tax "
    "final_price_with_tax final_price_without_tax created_at updated_at name description "
    f"short_description sku meta_title meta_keyword meta_description tier_price {CUSTOM}"
)
CUSTOMER_WRITE = (
    "firstname lastname email website_id group_id confirmation disable_auto_group_change "
    "prefix middlename suffix dob taxvat gender"
)
ADDRESS_WRITE = (
    "is_default_billing is_default_shipping prefix firstname middlename lastname suffix company "
    "street city country_id region postcode telephone fax vat_id"
)
IMAGE_WRITE = "file_name file_content file_mime_type label position types exclude"
STOCK_WRITE = (
    "qty min_qty use_config_min_qty is_qty_decimal backorders use_config_backorders "
    "min_sale_qty use_config_min_sale_qty max_sale_qty use_config_max_sale_qty is_in_stock "
    "notify_stock_qty use_config_notify_stock_qty manage_stock use_config_manage_stock "
    "stock_status_changed_auto use_config_qty_increments qty_increments "
    "use_config_enable_qty_inc enable_qty_increments is_decimal_divided"
)
ORDER_CUSTOMER = (
    "entity_id increment_id created_at updated_at status shipping_description payment_method "
    "base_currency_code store_currency_code subtotal subtotal_incl_tax discount_amount "
    "base_grand_total grand_total shipping_amount shipping_tax_amount shipping_incl_tax "
    "tax_amount tax_name tax_rate gift_message_from gift_message_to gift_message_body "
    "order_comments addresses order_items"
)
ORDER_ADMIN = (
    f"{ORDER_CUSTOMER} store_name remote_ip store_to_order_rate coupon_code "
    "base_discount_amount base_subtotal base_shipping_amount base_shipping_tax_amount "
    "base_tax_amount total_paid base_total_paid total_refunded base_total_refunded "
    "base_subtotal_incl_tax base_total_due total_due shipping_discount_amount "
    "base_shipping_discount_amount discount_description customer_balance_amount "
    "base_customer_balance_amount customer_id"
)
ITEM_CUSTOMER = (
    "item_id name parent_item_id sku price price_incl_tax qty_ordered qty_invoiced qty_shipped "
    "qty_canceled qty_refunded row_total row_total_incl_tax"
)
ITEM_ADMIN = (
    f"{ITEM_CUSTOMER} base_price original_price base_original_price base_price_incl_tax "
    "tax_percent tax_amount base_tax_amount discount_amount base_discount_amount "
    "base_row_total base_row_total_incl_tax created_at updated_at"
)
ORDER_ADDRESS = (
    "lastname firstname middlename prefix suffix company street city region postcode country_id "
    "telephone address_type email created_at updated_at"
)

# A product-category pair shows the product, with the attributes of the pair's own list.
NOT_OF_PAIRS = {
    "type_id",
    "attribute_set_id",
    "stock_data",
    "url_key_create_redirect",
    "use_config_gift_message_available",
    "use_config_gift_wrapping_available",
}
CATEGORY_ADMIN = "created_at updated_at media_gallery " + " ".join(
    name for name in PRODUCT_WRITE.split() if name not in NOT_OF_PAIRS
)
CATEGORY_SHOP = (
    "created_at updated_at name description short_description sku meta_title meta_keyword "
    f"meta_description tier_price {CUSTOM}"
)

READABLE: dict[tuple[str, str], str] = {
    ("product", "admin"): (
        "entity_id created_at updated_at " + PRODUCT_WRITE.replace("url_key_create_redirect ", "")
    ),
    ("product", "customer"): PRODUCT_GUEST,
    ("product", "guest"): PRODUCT_GUEST,
    ("product_category", "admin"): f"category_id {CATEGORY_ADMIN}",
    ("product_category", "customer"): f"category_id {CATEGORY_SHOP}",
    ("product_category", "guest"): f"category_id {CATEGORY_SHOP}",
    ("product_image", "admin"): "id label position types exclude url",
    ("product_image", "customer"): "id label position types url",
    ("product_image", "guest"): "id label position types url",
    ("product_website", "admin"): "website_id",
    ("customer", "admin"): (
        f"entity_id last_logged_in created_in created_at updated_at {CUSTOMER_WRITE}"
    ),
    ("customer", "customer"): "firstname lastname email created_at updated_at middlename",
    ("customer_address", "admin"): f"entity_id created_at updated_at {ADDRESS_WRITE}",
    ("customer_address", "customer"): (
        "entity_id is_default_billing is_default_shipping created_at updated_at firstname "
        "middlename lastname company street city country_id region postcode telephone fax vat_id"
    ),
    ("order", "admin"): ORDER_ADMIN,
    ("order", "customer"): ORDER_CUSTOMER,
    ("order_item", "admin"): ITEM_ADMIN,
    ("order_item", "customer"): ITEM_CUSTOMER,
    ("order_address", "admin"): ORDER_ADDRESS,
    ("order_address", "customer"): ORDER_ADDRESS,
    ("order_comment", "admin"): (
        "created_at comment is_customer_notified is_visible_on_front status"
    ),
    ("order_comment", "customer"): "created_at comment",
    ("stock_item", "admin"): (
        f"item_id product_id stock_id low_stock_date created_at updated_at {STOCK_WRITE}"
    ),
}
WRITABLE: dict[tuple[str, str], str] = {
    ("product", "admin"): PRODUCT_WRITE,
    ("product_category", "admin"): "category_id",
    ("product_image", "admin"): IMAGE_WRITE,
    ("product_website", "admin"): "website_id copy_to_stores",
    ("customer", "admin"): CUSTOMER_WRITE,
    ("customer", "customer"): "firstname lastname email middlename",
    ("customer_address", "admin"): ADDRESS_WRITE,
    ("customer_address", "customer"): (
        "is_default_billing is_default_shipping firstname middlename lastname company street "
        "city country_id region postcode telephone fax vat_id"
    ),
    ("order_comment", "admin"): "comment status is_visible_on_front is_customer_notified",
    ("stock_item", "admin"): STOCK_WRITE,
}
# Shown whatever the attribute rules of a role say.
FORCED = {
    "stock_item": {"item_id"},
    "order_comment": {
        "created_at",
        "comment",
        "is_customer_notified",
        "is_visible_on_front",
        "status",
    },
    "product_website": {"website_id", "copy_to_stores"},
}
# Rules for orders name these; each opens the real attributes.
ORDER_GATES = {
    "_payment_method": {"payment_method"},
    "_tax_name": {"tax_name"},
    "_tax_rate": {"tax_rate"},
    "_gift_message": {"gift_message_from", "gift_message_to", "gift_message_body"},
    "_order_comments": {"order_comments"},
}
EMBEDDED = {"order_item": "order_items", "order_address": "addresses"}
ADDED_LATER = {
    "product": {"created_at", "updated_at"},
    "customer": {"updated_at"},
    "customer_address": {"created_at", "updated_at"},
    "order": {"updated_at"},
    "order_item": {"created_at", "updated_at"},
    "order_address": {"created_at", "updated_at"},
    "stock_item": {"created_at", "updated_at"},
}

READABLE_SETS = {key: frozenset(names.split()) for key, names in READABLE.items()}
WRITABLE_SETS = {key: frozenset(names.split()) for key, names in WRITABLE.items()}


def readable(resource: str, *, user: str, role: Role, flavor: str) -> set[str]:
    """Return what a caller may read of a resource, before any `attrs` of the call."""
    names = set(READABLE_SETS.get((resource, user), ()))
    if flavor == "classic":
        names -= ADDED_LATER.get(resource, set())
    if role.attributes is None:
        return names
    ruled = set(role.attributes.get(resource, set()))
    if resource == "order":
        for gate, opened in ORDER_GATES.items():
            if gate in ruled:
                ruled |= opened
        for part, name in EMBEDDED.items():
            if role.attributes.get(part):
                ruled.add(name)
    return (names & ruled) | FORCED.get(resource, set())


def shown(allowed: set[str], attrs: object) -> set[str]:
    """
    Narrow the readable attributes to those that a call asks for.

    Raises PhpFatal if `attrs` is given and leaves nothing, as the vendor's code does.
    """
    if attrs is None:
        return allowed
    asked = {name.strip() for name in attrs.split(",")} if isinstance(attrs, str) else set()
    chosen = allowed & asked
    if not chosen:
        raise PhpFatal
    return chosen


def writable(resource: str, *, user: str, role: Role) -> set[str]:
    """Return what a caller may write of a resource."""
    names = set(WRITABLE_SETS.get((resource, user), ()))
    if role.attributes is None:
        return names
    return (names & role.attributes.get(resource, set())) | (FORCED.get(resource, set()) & names)
