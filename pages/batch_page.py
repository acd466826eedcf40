from mmcore.ui.guard import enter

desk = enter("batch_page")
