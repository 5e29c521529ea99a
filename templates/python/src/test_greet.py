import unittest

from greet import greeting


class Greeting(unittest.TestCase):
    def test_names_whom_it_greets(self) -> None:
        self.assertEqual(greeting("Ada"), "Hello, Ada!")


if __name__ == "__main__":
    unittest.main()
