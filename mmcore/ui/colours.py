"""The colours of the modalities, the same on every screen (Okabe-Ito: told apart by all eyes)."""

VIEW_COLOURS = {"text": "#0072B2", "image": "#E69F00", "fused": "#009E73"}
FURTHER_COLOURS = ("#CC79A7", "#56B4E9", "#D55E00", "#F0E442")  # further modalities, in order
# production and candidate, before and after: never the colours of a modality
BEFORE_COLOUR, AFTER_COLOUR = "#8A93A0", "#6573CE"
