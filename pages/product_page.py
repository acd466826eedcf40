from mmcore.ui.guard import enter

desk = enter("product_page")
