"""Ways in which the picture itself goes wrong, for judging."""

PICTURE_FAULTS = frozenset(
    {
        "product_missing",
        "product_duplicated",
        "wrong_colour",
        "mirrored_product",
        "other_label",
        "floating_product",
        "no_shadow",
        "cutout_halo",
        "clipped_product",
        "scene_replaced",
        "cropped_scene",
        "zoomed_scene",
        "black_image",
        "wrong_scale",
        "other_picture",
    }
)
