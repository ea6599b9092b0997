from tests.helpers.trees import Tree

SCENES = {"images": 3, "height": 48, "width": 96}

TREE = Tree(lambda root: None, options=SCENES)
