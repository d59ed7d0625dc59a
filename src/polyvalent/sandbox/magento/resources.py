"""The list of resources: which routes there are, and which functions answer them."""

from polyvalent.sandbox.magento import customers, orders, products, stock
from polyvalent.sandbox.magento.ask import Resource

RESOURCES = (
    Resource(
        name="product",
        routes=(
            ("/products", "collection"),
            ("/products/:id", "entity"),
            ("/products/:id/store/:store", "entity"),
            ("/products/store/:store", "collection"),
            ("/products/category/:category_id", "collection"),
            ("/products/store/:store/category/:category_id", "collection"),
            ("/products/category/:category_id/store/:store", "collection"),
        ),
        handlers={"retrieve": products.retrieve, "list": products.retrieve_list},
    ),
    Resource(
        name="stock_item",
        routes=(("/stockitems", "collection"), ("/stockitems/:id", "entity")),
        handlers={
            "retrieve": stock.retrieve,
            "list": stock.retrieve_list,
            "update": stock.update,
            "multi_update": stock.multi_update,
        },
    ),
    Resource(
        name="customer",
        routes=(("/customers", "collection"), ("/customers/:id", "entity")),
        handlers={
            "retrieve": customers.retrieve,
            "list": customers.retrieve_list,
            "create": customers.create,
            "update": customers.update,
            "delete": customers.delete,
        },
    ),
    Resource(
        name="order",
        routes=(("/orders", "collection"), ("/orders/:id", "entity")),
        handlers={"retrieve": orders.retrieve, "list": orders.retrieve_list},
    ),
    Resource(
        name="order_item",
        routes=(("/orders/:id/items", "collection"),),
        handlers={"list": orders.retrieve_items},
    ),
    Resource(
        name="order_address",
        routes=(
            ("/orders/:order_id/addresses", "collection"),
            ("/orders/:order_id/addresses/:address_type", "entity"),
        ),
        handlers={"retrieve": orders.retrieve_address, "list": orders.retrieve_addresses},
    ),
    Resource(
        name="order_comment",
        routes=(("/orders/:id/comments", "collection"), ("/orders/comments/:id", "entity")),
        handlers={
            "retrieve": orders.retrieve_comment,
            "list": orders.retrieve_comments,
            "create": orders.create_comment,
        },
        only_newer=("/orders/comments/:id", "create"),
    ),
)
