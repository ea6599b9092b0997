from tests.helpers.trees import Tree
from tests.helpers.trees.scenes import SCENES

PARTS = [{"dataset": "scenes", "options": SCENES}]

TREE = Tree(lambda root: None, options={"taxonomy": "scenes", "parts": PARTS})
