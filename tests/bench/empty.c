/* What a program of the same libraries takes to start, if it does nothing: for the bench start. */
int main(void)
{
	return 0;
}
