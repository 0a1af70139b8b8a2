// A class whose constructor makes another one, through Reflect.construct.
// class: recursion
// expect: error RangeError
class A { constructor() { this.a = Reflect.construct(A, [], new.target); } }
function attack() { return new A(); }
export const render = (p) => (p.attack ? attack(p) : `fine ${p.n}`);
