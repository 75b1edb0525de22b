// SPDX-License-Identifier: GPL-2.0-only
/*
 * ends.c - both ends of what one request sends: what its sender says, and those who await the
 * packets on other nodes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "kube/internal.h"

struct fg_end *fg_ends_add(struct fg_ends *ends, const char *node, struct fg_error *err)
{
	struct fg_end *end = FG_APPEND(ends->list, ends->count, "ends", err);

	if (end)
		*end = (struct fg_end){ .node = node };
	return end;
}

void fg_ends_asked(struct fg_ends *ends, struct fg_client *client, size_t request)
{
	ends->request = request;
	ends->left = ends->count + 1;
	client->requests[request].partners = ends->count;
	for (size_t i = 0; i < ends->count; i++)
		client->requests[request + 1 + i].partner = true;
}

static void keep(json_t **list, json_t *result)
{
	if (!*list)
		*list = json_array();
	json_array_append(*list, result);
}

/* Else it is of the run as a whole, or nothing was sent. */
static bool has_outcome(const json_t *result)
{
	return json_object_get(result, "outcome") != NULL;
}

/* Whether the one packet arrived there: then it does not on another node. */
static bool has_one(const struct fg_ends *ends, const struct fg_end *end)
{
	return !ends->many && json_array_size(end->results) == 1 &&
	       fg_halves_arrived(json_array_get(end->results, 0));
}

/* Whether no result of the sender is of a packet that may have got to another node. */
static bool stayed(const struct fg_ends *ends)
{
	for (size_t i = 0; i < json_array_size(ends->sent); i++)
		if (has_outcome(json_array_get(ends->sent, i)) &&
		    !fg_halves_ended(json_array_get(ends->sent, i)))
			return false;
	return true;
}

/* Whether the one packet's results are all there: the rest is how the requests end. */
static bool is_complete(const struct fg_ends *ends)
{
	bool all = true;

	if (!ends->early || ends->many || json_array_size(ends->sent) != 1 ||
	    !has_outcome(json_array_get(ends->sent, 0)))
		return false;
	if (stayed(ends))
		return true;
	for (size_t i = 0; ends->list && i < ends->count; i++) {
		if (has_one(ends, &ends->list[i]))
			return true;
		all &= ends->list[i].results != NULL;
	}
	return all;
}

bool fg_ends_take(struct fg_ends *ends, struct fg_job *job, size_t request, const json_t *line)
{
	struct fg_end *end = request > ends->request ? &ends->list[request - ends->request - 1]
						     : NULL;
	const char *message = json_string_value(json_object_get(line, "message"));
	json_t *result = json_object_get(line, "result"), *done = json_object_get(line, "done");
	int status;

	if (message)
		fg_job_say(job, end ? end->node : ends->node, message);
	if (message && end)
		snprintf(end->said, sizeof(end->said), "%s",
			 message + (strncmp(message, "flowgen: ", 9) ? 0 : 9));
	if (result && (!end || has_outcome(result)))
		keep(end ? &end->results : &ends->sent, result);
	if (!done && !is_complete(ends))
		return false;
	if (!done) {
		fg_client_settle(&job->client, ends->request);
		ends->left = 0;
		return true;
	}
	status = json_is_integer(json_object_get(done, "status"))
			 ? (int)json_integer_value(json_object_get(done, "status"))
			 : 5;
	if (end)
		end->status = status;
	else
		ends->status = status;
	if (end ? has_one(ends, end) : stayed(ends))
		fg_client_give_up(&job->client, ends->request);
	return !--ends->left;
}

/* The result of the same probe. */
static json_t *result_with(const json_t *list, const json_t *id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_object_get(json_array_get(list, i), "id"), id))
			return json_array_get(list, i);
	return NULL;
}

struct fg_half fg_ends_half(const struct fg_ends *ends, const struct fg_client *client,
			    size_t index, const json_t *sent)
{
	const struct fg_request *r = &client->requests[ends->request + 1 + index];
	const struct fg_end *end = &ends->list[index];

	return (struct fg_half){ .node = end->node,
				 .result = result_with(end->results, json_object_get(sent, "id")),
				 .why = r->state == FG_REQUEST_LOST ? r->why.message : end->said };
}

void fg_ends_empty(struct fg_ends *ends)
{
	json_decref(ends->sent);
	ends->sent = NULL;
	for (size_t i = 0; i < ends->count; i++) {
		json_decref(ends->list[i].results);
		ends->list[i].results = NULL;
	}
}

void fg_ends_free(struct fg_ends *ends)
{
	fg_ends_empty(ends);
	free(ends->list);
	*ends = (struct fg_ends){};
}
