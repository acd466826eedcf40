from mmcore.ui.guard import enter

desk = enter("team_page")
