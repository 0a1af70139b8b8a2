// Command plain is a program that does nothing, to compare its size with others.
package main

import "fmt"

func main() { fmt.Println("hello") }
