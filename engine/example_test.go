package engine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sporeengine/spore/engine"
	"github.com/sporeengine/spore/hostfuncs"
	"github.com/sporeengine/spore/runtimes"
	"github.com/sporeengine/spore/runtimes/javascript"
)

// The quick start of the README.
func Example() {
	ctx := context.Background()
	eng, err := engine.New(engine.Config{Runtimes: []runtimes.Runtime{javascript.Runtime()}})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()

	card, err := eng.Compile(ctx, engine.Source{Name: "card.tsx", Code: []byte(`
		export default function Card({ city, days }: { city: string; days: number[] }) {
			return <ul title={city}>{days.map(d => <li key={d}>{d} °C</li>)}</ul>;
		}`)})
	if err != nil {
		log.Fatal(err)
	}
	res, err := card.Render(ctx, map[string]any{"city": "Oslo", "days": []int{3, 9}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Text())
	// Output: <ul title="Oslo"><li>3 °C</li><li>9 °C</li></ul>
}

// A component asks the host for data.
func ExampleOptions_grants() {
	ctx := context.Background()
	type user struct {
		Name string `json:"name"`
	}
	users := hostfuncs.New("users.get", "A user by number.", func(_ context.Context, q struct {
		ID int `json:"id"`
	}) (user, error) {
		if q.ID != 7 {
			return user{}, hostfuncs.Errorf("not_found", "there is no user %d", q.ID)
		}
		return user{Name: "Ada"}, nil
	})
	grants, err := hostfuncs.NewSet(users)
	if err != nil {
		log.Fatal(err)
	}
	profile, err := shared.Compile(ctx, engine.Source{Name: "profile.tsx", Code: []byte(`
		import { call, HostError } from "spore";
		export default async function Profile({ id }: { id: number }) {
			try {
				const user = await call("users.get", { id });
				return <h1>{user.name}</h1>;
			} catch (e) {
				return <p>{(e as HostError).code}</p>;
			}
		}`)})
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []int{7, 8} {
		res, err := profile.Render(ctx, map[string]int{"id": id}, &engine.Options{Grants: grants})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Text())
	}
	// Output:
	// <h1>Ada</h1>
	// <p>not_found</p>
}

// A module is the convenient face of host functions.
func ExampleSource_modules() {
	ctx := context.Background()
	users := hostfuncs.New("users.get", "A user by number.", func(_ context.Context, id int) (string, error) { return fmt.Sprint("user ", id), nil })
	grants, err := hostfuncs.Set{}.WithModules(hostfuncs.Module{
		Name: "users",
		Sources: map[string]string{
			"javascript": `import { call } from "spore"; export const get = (id) => call("users.get", id);`,
			"python":     "import spore\n\ndef get(id):\n    return spore.call_sync('users.get', id)\n",
		},
		Functions: []hostfuncs.Func{users},
	})
	if err != nil {
		log.Fatal(err)
	}
	for name, code := range map[string]string{
		"a.tsx": `import { get } from "users"; export default async ({ id }) => <b>{await get(id)}</b>;`,
		"a.py":  "import users\n\ndef render(p):\n    return f\"<b>{users.get(p['id'])}</b>\"\n",
	} {
		c, err := shared.Compile(ctx, engine.Source{Name: name, Code: []byte(code), Modules: grants.Modules()})
		if err != nil {
			log.Fatal(err)
		}
		res, err := c.Render(ctx, map[string]int{"id": 7}, &engine.Options{Grants: grants})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, res.Text())
	}
	// Unordered output:
	// a.tsx <b>user 7</b>
	// a.py <b>user 7</b>
}

func ExampleComponent_Snapshot() {
	ctx := context.Background()
	eng := shared // any engine with the same runtime, in this process or another
	greeting, err := eng.Compile(ctx, engine.Source{Name: "greeting.py", Code: []byte(`
import html

def render(props):
    return f"<p>Hello, {html.escape(props['name'])}!</p>"
`)})
	if err != nil {
		log.Fatal(err)
	}
	image, err := greeting.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	again, err := eng.Load(ctx, image)
	if err != nil {
		log.Fatal(err)
	}
	res, err := again.Render(ctx, map[string]string{"name": "<Ada>"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Text(), again.Digest() == greeting.Digest())
	// Output: <p>Hello, &lt;Ada&gt;!</p> true
}
