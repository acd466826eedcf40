from mmcore.ui.guard import enter

desk = enter("retrain_page")
