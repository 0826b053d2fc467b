"""Diagrams of networks as SVG, DOT, PNG and PDF."""

from planner.draw.diagram import Diagram as Diagram
from planner.draw.drawing import FORMATS as FORMATS
from planner.draw.drawing import Format as Format
from planner.draw.drawing import draw as draw
from planner.draw.fault import DrawError as DrawError
from planner.draw.folding import LEVELS as LEVELS
from planner.draw.folding import Level as Level
from planner.draw.fonts import MissingCharacters as MissingCharacters
from planner.draw.picture import HEATS as HEATS
from planner.draw.picture import Heat as Heat
