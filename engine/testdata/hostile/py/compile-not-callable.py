# A render that is no function, and one whose attributes raise.
# class: compile
# expect: missing LookupError
# compile:

class A:
    def __getattr__(self, n): raise ValueError('no')


render = 7
other = A()
